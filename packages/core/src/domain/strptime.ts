/** A piece of a strptime format: a directive's letter, white space (any amount), or a text that must stand there. */
export type FormatPiece = { readonly directive: string } | { readonly space: true } | { readonly text: string };

/** What a format's values are: it has a date, a time of day, an offset. */
export interface TimestampFormat {
  readonly pieces: readonly FormatPiece[];
  readonly date: boolean;
  readonly time: boolean;
  readonly zone: boolean;
}

/** The item of `timestamp_formats` that stands for the built-in ISO 8601 forms. */
export const ISO8601 = "ISO8601";

const DATE = "YymdbBj";
const TIME = "HIMSfp";
const PASSED = "aA";
const SHORTHANDS: Readonly<Record<string, string>> = { T: "%H:%M:%S", R: "%H:%M", D: "%m/%d/%y", F: "%Y-%m-%d" };
const KNOWN = `${DATE}${TIME}${PASSED}z`;

/**
 * A strptime format (POSIX strptime(3), with Python's %f and %z) taken apart, or the reason why it is none. A format
 * must have a whole date (year with month and day, or with %j), a time of day, or both.
 */
export function parseTimestampFormat(format: string): TimestampFormat | string {
  const full = format.replace(/%([TRDF])/g, (_, letter: string) => SHORTHANDS[letter] ?? "");
  const pieces: FormatPiece[] = [];
  const seen = new Set<string>();
  for (let at = 0; at < full.length;) {
    const c = full[at] ?? "";
    if (c === "%") {
      const letter = full[at + 1] ?? "";
      at += 2;
      if (letter === "%") pieces.push({ text: "%" });
      else if (letter === "n" || letter === "t") pieces.push({ space: true });
      else if (letter !== "" && KNOWN.includes(letter)) {
        if (seen.has(letter)) return `%${letter} stands in it twice`;
        seen.add(letter);
        pieces.push({ directive: letter });
      } else return `%${letter} is no directive that is read; there are ${`${KNOWN}TRDF%`.replace(/./g, " %$&").trim()}`;
    } else if (/\s/.test(c)) {
      pieces.push({ space: true });
      while (/\s/.test(full[at] ?? "")) at++;
    } else {
      pieces.push({ text: c });
      at++;
    }
  }
  return checked(pieces, seen);
}

function checked(pieces: readonly FormatPiece[], seen: ReadonlySet<string>): TimestampFormat | string {
  const has = (letters: string) => letters.split("").some((letter) => seen.has(letter));
  const date = has(DATE);
  const time = has(TIME);
  if (!date && !time) return "it has neither a date nor a time";
  if (date && !(has("Yy") && (seen.has("j") || (has("mbB") && seen.has("d"))))) return "its date lacks a year, a month or a day";
  if (time && !has("HI")) return "its time lacks an hour";
  if (seen.has("I") && !seen.has("p")) return "%I needs %p";
  if (has("y") && has("Y")) return "it has two years";
  if (seen.has("z") && !(date && time)) return "%z needs a date and a time";
  return { pieces, date, time, zone: seen.has("z") };
}
