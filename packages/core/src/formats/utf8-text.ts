import { isAscii, isUtf8 } from "node:buffer";
import { Fault } from "../domain/fault.ts";
import type { DecodedChunk } from "./decompress.ts";

/** A stretch of text and the byte offset in the decoded file at which it begins. */
export interface TextChunk {
  readonly text: string;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly rawBytes: number;
}

/**
 * Bytes as text, whole characters in each chunk, a byte order mark left out. Nothing is replaced: bytes that are no UTF-8
 * are `unreadable`, with the offset of the first of them.
 */
export async function* utf8Text(chunks: AsyncIterable<DecodedChunk>): AsyncGenerator<TextChunk> {
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  let started = false;
  let rawBytes = 0;
  for await (const chunk of chunks) {
    rawBytes = chunk.rawBytes;
    let bytes = rest.length === 0 ? chunk.bytes : Buffer.concat([rest, chunk.bytes]);
    if (!started) {
      // Three bytes tell a mark from text; a shorter chunk waits for the next one.
      if (bytes.length < 3) {
        rest = bytes;
        continue;
      }
      started = true;
      refuseUtf16(bytes);
      if (hasMark(bytes)) {
        bytes = bytes.subarray(3);
        offset = 3;
      }
    }
    const whole = bytes.length - cutOff(bytes);
    rest = bytes.slice(whole);
    if (whole === 0) continue;
    yield { text: toText(bytes.subarray(0, whole), offset), byteOffset: offset, byteLength: whole, rawBytes };
    offset += whole;
  }
  if (rest.length === 0) return;
  if (!started) refuseUtf16(rest);
  yield { text: toText(rest, offset), byteOffset: offset, byteLength: rest.length, rawBytes };
}

function toText(bytes: Uint8Array, offset: number): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isAscii(view)) return view.toString("latin1");
  checkUtf8(view, offset);
  return view.toString("utf8");
}

/** Bytes that are no UTF-8. A text whose encoding nobody said may then be tried as another one. */
export class NotUtf8 extends Fault {
  constructor(message: string, offset: number) {
    super("unreadable", message, { field: "byte", value: offset });
  }
}

/** Throws `NotUtf8` where bytes that begin at `offset` of the file are no UTF-8. */
export function checkUtf8(bytes: Uint8Array, offset: number): void {
  if (isUtf8(bytes)) return;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = firstInvalid(view);
  const value = `0x${(view[at] ?? 0).toString(16).padStart(2, "0")}`;
  throw new NotUtf8(`byte ${offset + at} (${value}) is no UTF-8: save the file as UTF-8, or say its encoding`, offset + at);
}

export function hasMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

export function hasUtf16Mark(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

/** Throws `unreadable` where a file that is read as UTF-8 begins with a UTF-16 byte order mark. */
export function refuseUtf16(bytes: Uint8Array): void {
  if (hasUtf16Mark(bytes)) {
    throw new Fault("unreadable", "byte 0: the file begins with a UTF-16 byte order mark, but is to be read as UTF-8", {
      field: "byte",
      value: 0,
    });
  }
}

/** How many bytes at the end begin a character that is not whole yet: 0 to 3. */
export function cutOff(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

/** Halving: the longest valid prefix ends before the first invalid sequence. */
export function firstInvalid(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 8) {
    const middle = (good + bad) >> 1;
    const end = middle - cutOff(bytes.subarray(0, middle));
    if (end > good && isUtf8(bytes.subarray(good, end))) good = end;
    else if (end > good) bad = end;
    else break;
  }
  for (let length = 1; good < bytes.length;) {
    if (isUtf8(bytes.subarray(good, good + length))) {
      good += length;
      length = 1;
    } else if (length === 4 || good + length >= bytes.length) return good;
    else length++;
  }
  return good;
}
