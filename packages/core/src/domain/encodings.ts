/** Python's names of encodings that are no labels of the WHATWG standard. */
const PYTHON: ReadonlyMap<string, string> = new Map([
  ["utf8sig", "utf-8"],
  ["u8", "utf-8"],
  ["utf16", "utf-16le"],
  ["utf16le", "utf-16le"],
  ["utf16be", "utf-16be"],
  ["latin", "windows-1252"],
  ["latin1", "windows-1252"],
  ["iso88591", "windows-1252"],
  ["ansi", "windows-1252"],
  ["mbcs", "windows-1252"],
  ["ascii", "utf-8"],
  ["usascii", "utf-8"],
  ["646", "utf-8"],
  ["gb2312", "gbk"],
  ["sjis", "shift_jis"],
  ["cp932", "shift_jis"],
  ["cp936", "gbk"],
  ["cp949", "euc-kr"],
  ["cp950", "big5"],
]);

/**
 * The WHATWG name of an encoding (`utf-8`, `utf-16le`, `windows-1252`, `gbk`, …) from it or from Python's name, or null where
 * there is none. Latin-1 is read as Windows-1252, which has letters where Latin-1 has control codes; ASCII as UTF-8.
 */
export function encodingName(text: string): string | null {
  const label = text.trim().toLowerCase();
  const plain = label.replace(/[-_ ]/g, "");
  const known = PYTHON.get(plain);
  if (known !== undefined) return known;
  const numbered = /^(?:cp|windows)(125[0-8]|874)$/.exec(plain);
  const iso = /^(?:iso8859|latin)(\d{1,2})$/.exec(plain);
  const tries = [
    label,
    label.replaceAll("_", "-"),
    ...(numbered ? [`windows-${numbered[1]}`] : []),
    ...(iso ? [`iso-8859-${iso[1]}`] : []),
  ];
  for (const name of tries) {
    try {
      const { encoding } = new TextDecoder(name, { fatal: true });
      return encoding === "replacement" || encoding === "x-user-defined" ? null : encoding;
    } catch {
      // no such label: the next one
    }
  }
  return null;
}
