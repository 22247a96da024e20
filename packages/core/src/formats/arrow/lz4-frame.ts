import { unreadable } from "./refuse.ts";
import { xxhash32 } from "./xxhash32.ts";

/**
 * LZ4 frames (lz4_Frame_format.md 1.6.4): [magic u32][FLG][BD][content size u64?][dictionary u32?][header checksum]
 * then blocks [size u32, highest bit: stored as it is][bytes][checksum u32?], a size of 0, [content checksum u32?].
 * Gives exactly `length` bytes; throws `unreadable` for anything else. Several frames may follow each other.
 */
export function decodeLz4Frame(bytes: Uint8Array, length: number): Uint8Array {
  // A byte of LZ4 stands for at most 255 of its output.
  if (length > bytes.length * 255) unreadable(`${bytes.length} bytes of LZ4 cannot become ${length}`);
  const out = new Uint8Array(length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let done = 0;
  try {
    while (at < bytes.length) [at, done] = decodeFrame(view, bytes, at, out, done);
  } catch (error) {
    if (error instanceof RangeError) unreadable("an LZ4 frame is cut off");
    throw error;
  }
  if (done !== length) unreadable(`an LZ4 buffer of ${length} bytes became ${done}`);
  return out;
}

const MAGIC = 0x184d2204;

function decodeFrame(view: DataView, bytes: Uint8Array, from: number, out: Uint8Array, outFrom: number): [number, number] {
  if (view.getUint32(from, true) !== MAGIC) unreadable("an LZ4 frame without its magic number");
  const flags = view.getUint8(from + 4);
  if (flags >> 6 !== 1) unreadable(`an LZ4 frame of version ${flags >> 6}`);
  if (flags & 1) unreadable("an LZ4 frame that needs a dictionary");
  let at = from + 6 + (flags & 8 ? 8 : 0);
  if (view.getUint8(at) !== ((xxhash32(bytes.subarray(from + 4, at)) >>> 8) & 255)) unreadable("an LZ4 frame's header is damaged");
  at++;
  let done = outFrom;
  for (;;) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) break;
    const stored = size >>> 31 === 1;
    const end = at + (size & 0x7fffffff);
    if (end > bytes.length) unreadable("an LZ4 block is cut off");
    const block = bytes.subarray(at, end);
    if (stored) {
      if (block.length > out.length - done) unreadable("an LZ4 buffer is longer than it says");
      out.set(block, done);
      done += block.length;
    } else done = decodeLz4Block(block, out, done, outFrom);
    at = end;
    if (flags & 16) {
      if (view.getUint32(at, true) !== xxhash32(block)) unreadable("an LZ4 block does not agree with its checksum");
      at += 4;
    }
  }
  if (flags & 4) {
    if (view.getUint32(at, true) !== xxhash32(out.subarray(outFrom, done))) unreadable("an LZ4 frame does not agree with its checksum");
    at += 4;
  }
  return [at, done];
}

/**
 * One LZ4 block (lz4_Block_format.md) into `out` from `at`; matches reach back to `floor`. Gives where it ended.
 * A sequence: token [literals : 4 bits][match - 4 : 4 bits], more of the first in bytes of 255, the literals, distance u16, more of
 * the second. The last sequence ends after its literals.
 */
export function decodeLz4Block(block: Uint8Array, out: Uint8Array, at: number, floor: number): number {
  const end = block.length;
  const room = out.length;
  let from = 0;
  let to = at;
  while (from < end) {
    const token = block[from++] ?? 0;
    let literals = token >> 4;
    if (literals === 15) {
      for (let more = 255; more === 255;) {
        if (from >= end) return unreadable("an LZ4 block is cut off");
        more = block[from++] ?? 0;
        literals += more;
      }
    }
    if (literals > end - from || literals > room - to) return unreadable("an LZ4 block is cut off or too long");
    if (literals > 16) {
      out.set(block.subarray(from, from + literals), to);
      from += literals;
      to += literals;
    } else for (const stop = from + literals; from < stop;) out[to++] = block[from++] ?? 0;
    if (from === end) return to;
    if (end - from < 2) return unreadable("an LZ4 block is cut off");
    const distance = (block[from] ?? 0) | ((block[from + 1] ?? 0) << 8);
    from += 2;
    let match = (token & 15) + 4;
    if (match === 19) {
      for (let more = 255; more === 255;) {
        if (from >= end) return unreadable("an LZ4 block is cut off");
        more = block[from++] ?? 0;
        match += more;
      }
    }
    if (distance === 0 || distance > to - floor || match > room - to) return unreadable("an LZ4 match lies outside its block");
    if (distance >= match && match > 16) {
      out.copyWithin(to, to - distance, to - distance + match);
      to += match;
    } else for (const stop = to + match; to < stop; to++) out[to] = out[to - distance] ?? 0;
  }
  return unreadable("an LZ4 block ends in a match");
}
