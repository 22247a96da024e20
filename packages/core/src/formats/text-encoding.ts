import { isAscii, isUtf8 } from "node:buffer";
import { Fault } from "../domain/fault.ts";
import type { DecodedChunk } from "./decompress.ts";
import { cutOff, hasMark, type TextChunk, utf8Text } from "./utf8-text.ts";

/**
 * UTF-8 in which some bytes are broken: each of those becomes a lone surrogate (0xff: U+DCFF, as Python's surrogateescape
 * does, PEP 383), which no valid text has, so that the records with one can be told and rejected.
 */
export const BROKEN_UTF8 = "utf-8 with broken bytes";

/** Bytes that a character of an encoding takes: 1, 2 (a UTF-16 unit), by its kind (UTF-8), or not to be told from the text. */
export type CharBytes = 1 | 2 | "utf-8" | typeof BROKEN_UTF8 | "unknown";

const BROKEN = /[\udc80-\udcff]/gu;

/** Where the first broken byte of a text stands, in characters, or -1. */
export function brokenAt(text: string): number {
  return text.isWellFormed() ? -1 : text.search(BROKEN);
}

/** A text as people read it: broken bytes as \xff. */
export function withBrokenShown(text: string): string {
  return text.replace(BROKEN, (c) => `\\x${(c.charCodeAt(0) - 0xdc00).toString(16)}`);
}

const SINGLE = /^(?:windows-|iso-8859-|koi8-|ibm866$|macintosh$|x-mac-cyrillic$)/;

export function charBytes(encoding: string): CharBytes {
  if (encoding === "utf-8" || encoding === BROKEN_UTF8) return encoding;
  if (encoding === "utf-16le" || encoding === "utf-16be") return 2;
  return SINGLE.test(encoding) ? 1 : "unknown";
}

/** The bytes of a text in its encoding, or null where only decoding could tell. */
export function bytesOf(text: string, per: CharBytes): number | null {
  if (per === "unknown") return null;
  if (per === 1 || per === 2) return text.length * per;
  // A lone surrogate would be written in three bytes, and stands for one.
  return Buffer.byteLength(text) - (per === BROKEN_UTF8 && !text.isWellFormed() ? 2 * (text.match(BROKEN)?.length ?? 0) : 0);
}

/**
 * What the first bytes say of a text's encoding: a byte order mark, or the zeros that UTF-16 has at every other byte of
 * Western text. Else `said`, else UTF-8, which reading then holds to. A mark is believed before what was said of UTF-16.
 */
export function encodingOf(head: Uint8Array, said: string | undefined): string {
  if (said === BROKEN_UTF8) return said;
  const marked = hasMark(head)
    ? "utf-8"
    : head[0] === 0xff && head[1] === 0xfe
      ? "utf-16le"
      : head[0] === 0xfe && head[1] === 0xff
        ? "utf-16be"
        : null;
  if (marked !== null && (said === undefined || marked.slice(0, 5) === said.slice(0, 5))) return marked;
  return said ?? utf16Without(head) ?? "utf-8";
}

/** UTF-16 without a mark: most of 16 characters or more have a zero byte, always on the same side. */
export function utf16Without(head: Uint8Array): "utf-16le" | "utf-16be" | null {
  const units = Math.min(head.length, 4096) >> 1;
  if (units < 4) return null;
  let first = 0;
  let second = 0;
  for (let i = 0; i < units; i++) {
    const a = head[2 * i];
    const b = head[2 * i + 1];
    if (a === 0 && b === 0) return null;
    if (a === 0) first++;
    else if (b === 0) second++;
  }
  if (second > units * 0.6 && first === 0) return "utf-16le";
  return first > units * 0.6 && second === 0 ? "utf-16be" : null;
}

/**
 * Bytes as text, whole characters in each chunk, a byte order mark left out. Nothing is replaced: bytes that are none of the
 * encoding's are `unreadable`. A chunk's `byteOffset` counts characters where `charBytes` is unknown.
 */
export async function* decodeText(chunks: AsyncIterable<DecodedChunk>, encoding: string): AsyncGenerator<TextChunk> {
  if (encoding === "utf-8") yield* utf8Text(chunks);
  else if (encoding === BROKEN_UTF8) yield* brokenText(chunks);
  else if (encoding === "utf-16le" || encoding === "utf-16be") yield* utf16Text(chunks, encoding === "utf-16be");
  else if (encoding === "windows-1252") yield* mapped(chunks, windows1252);
  else {
    const decoder = new TextDecoder(encoding, { fatal: true });
    yield* mapped(
      chunks,
      (bytes, offset) => decodeWith(decoder, bytes, offset, encoding),
      () => decodeWith(decoder, null, 0, encoding),
    );
  }
}

async function* mapped(
  chunks: AsyncIterable<DecodedChunk>,
  decode: (bytes: Uint8Array, offset: number) => string,
  finish: () => string = () => "",
): AsyncGenerator<TextChunk> {
  let read = 0;
  let offset = 0;
  let rawBytes = 0;
  for await (const chunk of chunks) {
    rawBytes = chunk.rawBytes;
    const text = decode(chunk.bytes, read);
    read += chunk.bytes.length;
    // A single-byte encoding has as many characters as bytes; of others only the characters are counted.
    if (text !== "") yield { text, byteOffset: offset, byteLength: text.length, rawBytes };
    offset += text.length;
  }
  const rest = finish();
  if (rest !== "") yield { text: rest, byteOffset: offset, byteLength: rest.length, rawBytes };
}

function decodeWith(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array | null, offset: number, encoding: string): string {
  try {
    return bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    const where = bytes === null ? "the end of the file" : `bytes ${offset} to ${offset + bytes.length}`;
    throw new Fault("unreadable", `${where}: there is a byte that is no ${encoding}`, { field: "encoding", value: encoding });
  }
}

/** What Windows-1252 has at 0x80 to 0x9f; five of them are unassigned and stay control codes (WHATWG Encoding, index windows-1252). */
const C1 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

function windows1252(bytes: Uint8Array): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = view.toString("latin1");
  return isAscii(view) ? text : text.replace(/[\x80-\x9f]/g, (c) => C1[c.charCodeAt(0) - 0x80] ?? c);
}

async function* utf16Text(chunks: AsyncIterable<DecodedChunk>, big: boolean): AsyncGenerator<TextChunk> {
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  let rawBytes = 0;
  let started = false;
  for await (const chunk of chunks) {
    rawBytes = chunk.rawBytes;
    // A copy: the bytes of UTF-16BE are swapped in place.
    const bytes = Buffer.concat([rest, chunk.bytes]);
    let whole = bytes.length - (bytes.length % 2);
    // A pair of surrogates stays together.
    const last = whole === 0 ? 0 : (bytes[whole - (big ? 2 : 1)] ?? 0);
    if (last >= 0xd8 && last <= 0xdb) whole -= 2;
    rest = bytes.subarray(whole);
    if (whole === 0) continue;
    const units = bytes.subarray(0, whole);
    if (big) units.swap16();
    const from = !started && units[0] === 0xff && units[1] === 0xfe ? 2 : 0;
    started = true;
    offset += from;
    const text = units.toString("utf16le", from);
    if (!text.isWellFormed()) throw brokenPair(text, offset);
    if (text !== "") yield { text, byteOffset: offset, byteLength: whole - from, rawBytes };
    offset += whole - from;
  }
  if (rest.length > 0) {
    throw new Fault("unreadable", `byte ${offset}: the file ends within a UTF-16 character`, { field: "byte", value: offset });
  }
}

function brokenPair(text: string, offset: number): Fault {
  const at =
    offset +
    2 *
      [...text.matchAll(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g)].reduce(
        (least, m) => Math.min(least, m.index),
        text.length,
      );
  return new Fault("unreadable", `byte ${at}: half of a UTF-16 surrogate pair stands alone`, { field: "byte", value: at });
}

/** UTF-8 with every broken byte as a lone surrogate. A character is never cut at a chunk's end. */
async function* brokenText(chunks: AsyncIterable<DecodedChunk>): AsyncGenerator<TextChunk> {
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  let rawBytes = 0;
  let started = false;
  for await (const chunk of chunks) {
    rawBytes = chunk.rawBytes;
    let bytes = rest.length === 0 ? chunk.bytes : Buffer.concat([rest, chunk.bytes]);
    if (!started && bytes.length < 3) {
      rest = bytes.slice();
      continue;
    }
    if (!started && hasMark(bytes)) {
      bytes = bytes.subarray(3);
      offset = 3;
    }
    started = true;
    const whole = bytes.length - cutOff(bytes);
    rest = bytes.slice(whole);
    if (whole > 0) yield { text: escaped(bytes, whole), byteOffset: offset, byteLength: whole, rawBytes };
    offset += whole;
  }
  if (rest.length > 0) yield { text: escaped(rest, rest.length), byteOffset: offset, byteLength: rest.length, rawBytes };
}

function escaped(bytes: Uint8Array, end: number): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, end);
  if (isUtf8(view)) return view.toString("utf8");
  let text = "";
  let good = 0;
  for (let at = 0; at < end;) {
    const c = view[at] ?? 0;
    const length = c < 0x80 ? 1 : sequenceAt(view, at, end);
    if (length === 0) {
      text += view.toString("utf8", good, at) + String.fromCharCode(0xdc00 + c);
      good = at + 1;
    }
    at += Math.max(length, 1);
  }
  return text + view.toString("utf8", good, end);
}

/** How a text that is no UTF-8 was probably meant, from all of its bytes. */
export interface Utf8Tally {
  /** Characters beyond ASCII that are valid UTF-8, and bytes that are part of none. */
  readonly valid: number;
  readonly invalid: number;
}

export async function tallyUtf8(chunks: AsyncIterable<DecodedChunk>): Promise<Utf8Tally> {
  let valid = 0;
  let invalid = 0;
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk.bytes : Buffer.concat([rest, chunk.bytes]);
    const end = bytes.length - cutOff(bytes);
    for (let at = 0; at < end;) {
      const c = bytes[at] ?? 0;
      const length = c < 0x80 ? 1 : sequenceAt(bytes, at, end);
      if (length === 0) invalid++;
      else if (c >= 0x80) valid++;
      at += Math.max(length, 1);
    }
    rest = bytes.slice(end);
  }
  return { valid, invalid: invalid + rest.length };
}

/** Length of the UTF-8 sequence of two bytes or more at `at`, or 0 where there is none (RFC 3629, section 4). */
function sequenceAt(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] ?? 0;
  const length = first >= 0xf0 && first <= 0xf4 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 0;
  if (length === 0 || at + length > end) return 0;
  for (let i = 1; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  const wrong =
    (first === 0xe0 && second < 0xa0) ||
    (first === 0xed && second > 0x9f) ||
    (first === 0xf0 && second < 0x90) ||
    (first === 0xf4 && second > 0x8f);
  return wrong ? 0 : length;
}
