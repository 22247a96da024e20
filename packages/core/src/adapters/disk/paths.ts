import { join } from "node:path";
import { checkKey } from "../object-key.ts";

/** Bytes a file system allows in one name (ext4, xfs, apfs: 255). */
const NAME_BYTES = 255;
/** Ends a folder name that is the beginning of a longer segment; `%+` is never the result of percent-encoding. */
const CONTINUES = "%+";

/** Where unfinished puts are. No key can name it: a leading dot is encoded. */
export const TEMP_FOLDER = ".tmp";

/**
 * A key's place under the root. Percent-encoded are what a file system or a shell takes badly: `%`, backslash, control
 * characters, a leading dot. A segment too long for one name is cut into nested folders. All of it can be undone.
 */
export function pathOfKey(root: string, key: string): string {
  checkKey(key);
  return join(root, ...key.split("/").flatMap(namesOfSegment));
}

/** The folder that holds every key with the prefix. */
export function folderOfPrefix(root: string, prefix: string): string {
  const slash = prefix.lastIndexOf("/");
  return slash === -1 ? root : pathOfKey(root, prefix.slice(0, slash));
}

/** What a name adds to the key of its folder, with the separator if one follows; null for a name that is not ours. */
export function keyPieceOfName(name: string, isFolder: boolean): string | null {
  const continues = isFolder && name.endsWith(CONTINUES);
  const encoded = continues ? name.slice(0, -CONTINUES.length) : name;
  if (encoded.startsWith(".") || /%(?![0-9A-F]{2})/.test(encoded)) return null;
  const piece = encoded.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return isFolder && !continues ? `${piece}/` : piece;
}

function namesOfSegment(segment: string): string[] {
  const encoded = segment.replace(/[%\\\u0000-\u001f\u007f]/g, percent).replace(/^\./, percent);
  if (Buffer.byteLength(encoded) <= NAME_BYTES) return [encoded];
  return cut(encoded, NAME_BYTES - CONTINUES.length);
}

function cut(encoded: string, limit: number): string[] {
  const names: string[] = [];
  let name = "";
  // A piece is one encoded character: neither an escape nor a surrogate pair is ever split; a dot that comes first is encoded.
  for (const piece of encoded.match(/%[0-9A-F]{2}|./gsu) ?? []) {
    if (Buffer.byteLength(name) + Buffer.byteLength(piece) > limit - 2) {
      names.push(name + CONTINUES);
      name = "";
    }
    name += name === "" && piece === "." ? percent(piece) : piece;
  }
  names.push(name);
  return names;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
