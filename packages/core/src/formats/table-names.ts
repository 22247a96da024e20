import { namedAs } from "./file-name.ts";

/** Characters of a table's name. */
export const MAX_TABLE_NAME = 128;

// Controls, separators of lines and of paths, quotes, and marks that are not seen.
const UNFIT = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff/\\"]+/gu;

/** A table's name from a sheet's, a member's or a key: what cannot be seen or divides paths becomes `_`; null where nothing is left. */
export function tableName(text: string): string | null {
  const name = text.toWellFormed().normalize("NFC").replace(UNFIT, "_").trim();
  const cut = Array.from(name).slice(0, MAX_TABLE_NAME).join("").trim();
  if (cut === "" || cut === "." || cut === "..") return null;
  return cut === "__proto__" ? "_proto_" : cut;
}

/** The name of a file within a zip without its folders and without the extensions that say how it is read. */
export function memberTableName(path: string): string | null {
  const file = path.split("/").at(-1) ?? "";
  const { compression, format, txt } = namedAs(file);
  const extensions = (compression === "none" ? 0 : 1) + (format !== null || txt ? 1 : 0);
  const parts = file.split(".");
  return tableName(parts.slice(0, Math.max(parts.length - extensions, 1)).join("."));
}

/** Each name once: a, a_1, a_2. Names that differ in case alone count as the same, for the file systems that hold them so. */
export function uniqueNames(names: readonly (string | null)[]): string[] {
  const written = names.map((name, i) => name ?? `table_${i + 1}`);
  const all = new Set(written.map((name) => name.toLowerCase()));
  const taken = new Set<string>();
  return written.map((name) => {
    let unique = name;
    for (let n = 1; taken.has(unique.toLowerCase()); n++) {
      const next = `${name}_${n}`;
      if (!all.has(next.toLowerCase()) && !taken.has(next.toLowerCase())) unique = next;
    }
    taken.add(unique.toLowerCase());
    return unique;
  });
}
