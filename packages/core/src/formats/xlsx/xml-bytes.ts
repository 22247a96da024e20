import type { TextBuffer } from "../sheet/text-buffer.ts";
import { decodeEntities, decodeXstring } from "./xml-tags.ts";

/**
 * Scanning of XML as bytes. Every function takes bytes [from, to) of a window whose next four bytes are `SENTINELS`, so that
 * no search for one of them needs to ask for the end, and answers -1 or false where the window does not hold enough.
 */
export const SENTINELS = Uint8Array.of(60, 62, 34, 39); // < > " '

const LT = 60;
const GT = 62;
const SLASH = 47;

/** The last tag that was read: its local name is bytes [nameFrom, nameTo), it ends before `end`. One object, overwritten by each. */
export const tag = { nameFrom: 0, nameTo: 0, end: 0, closing: false, empty: false };

/** Reads the tag whose `<` is at `at`. */
export function readTag(bytes: Uint8Array, at: number, to: number): boolean {
  let i = at + 1;
  tag.closing = bytes[i] === SLASH;
  if (tag.closing) i++;
  tag.nameFrom = i;
  let c = bytes[i] ?? 0;
  while (c > 32 && c !== GT && c !== SLASH && c !== LT) {
    c = bytes[++i] ?? 0;
    if (c === 58) tag.nameFrom = i + 1;
  }
  tag.nameTo = i;
  while (c !== GT) {
    if (c === 34 || c === 39) {
      i++;
      while (bytes[i] !== c) i++;
      if (i >= to) return false;
    }
    c = bytes[++i] ?? 0;
  }
  if (i >= to) return false;
  tag.empty = bytes[i - 1] === SLASH;
  tag.end = i + 1;
  return true;
}

/** True when the last tag has this local name. */
export function tagIs(bytes: Uint8Array, name: string): boolean {
  if (tag.nameTo - tag.nameFrom !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[tag.nameFrom + i] !== name.charCodeAt(i)) return false;
  return true;
}

/** True at `<!` and `<?`: a comment, CDATA section, processing instruction or declaration. */
export function isMark(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] === 33 || bytes[at + 1] === 63;
}

/** Where the mark at `at` ends. */
export function markEnd(bytes: Uint8Array, at: number, to: number): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, to);
  const close = bytes[at + 1] === 63 ? "?>" : bytes[at + 2] === 45 ? "-->" : bytes[at + 2] === 91 ? "]]>" : ">";
  const end = view.indexOf(close, at, "latin1");
  return end < 0 ? -1 : end + close.length;
}

/** Where the text that begins at `from` ends: the `<` of the next tag, comments and CDATA passed over. */
export function textEnd(bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; ;) {
    while (bytes[i] !== LT) i++;
    if (i + 1 >= to) return -1;
    if (!isMark(bytes, i)) return i;
    const end = markEnd(bytes, i, to);
    if (end < 0) return -1;
    i = end;
  }
}

/** Adds the text of bytes [from, to) to `out`: entities, CDATA and `_xHHHH_` decoded, CRLF as LF. */
export function writeText(bytes: Uint8Array, from: number, to: number, out: TextBuffer): void {
  // Nothing that is decoded takes more bytes than it is written in.
  out.reserve(to - from);
  const into = out.bytes;
  let o = out.length;
  for (let i = from; i < to; i++) {
    const c = bytes[i] ?? 0;
    // & < CR, and the x of _xHHHH_
    if (c === 38 || c === LT || c === 13 || (c === 120 && i > from && bytes[i - 1] === 95)) return writeDecoded(bytes, from, to, out);
    into[o++] = c;
  }
  out.length = o;
}

function writeDecoded(bytes: Uint8Array, from: number, to: number, out: TextBuffer): void {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("utf8");
  const text = decodeXstring(plainText(raw)).replace(/\r\n/g, "\n");
  const encoded = Buffer.from(text.toWellFormed());
  out.bytes.set(encoded, out.length);
  out.length += encoded.length;
}

/** Entities are decoded outside of CDATA; comments and processing instructions are left out. */
function plainText(raw: string): string {
  if (!raw.includes("<")) return decodeEntities(raw);
  return raw
    .split(/(<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>)/)
    .map((piece, i) => (i % 2 === 0 ? decodeEntities(piece) : piece.startsWith("<![CDATA[") ? piece.slice(9, -3) : ""))
    .join("");
}
