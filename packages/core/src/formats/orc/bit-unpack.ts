/**
 * Unpacks `count` unsigned numbers of `width` bits, most significant first, from `bytes` at `from` to `out` (halves,
 * words.ts) from number `at`. The caller has checked that the bytes are there. Widths are those of RLE v2.
 */
export function unpackBits(bytes: Uint8Array, from: number, width: number, count: number, out: Int32Array, at: number): void {
  if (width === 8) return unpackBytes(bytes, from, count, out, at);
  if (width <= 24) return unpackNarrow(bytes, from, width, count, out, at);
  if (width % 8 === 0) return unpackWholeBytes(bytes, from, width / 8, count, out, at);
  return unpackSplit(bytes, from, width, count, out, at);
}

/** Bytes that `count` numbers of `width` bits take. */
export function packedBytes(width: number, count: number): number {
  return Math.ceil((width * count) / 8);
}

function unpackBytes(bytes: Uint8Array, from: number, count: number, out: Int32Array, at: number): void {
  for (let i = 0, o = at * 2; i < count; i++, o += 2) {
    out[o] = bytes[from + i] ?? 0;
    out[o + 1] = 0;
  }
}

/** At most 7 bits wait when up to 24 come: 31 bits, which an int32 holds. */
function unpackNarrow(bytes: Uint8Array, from: number, width: number, count: number, out: Int32Array, at: number): void {
  const mask = 2 ** width - 1;
  let [held, bits, next] = [0, 0, from];
  for (let o = at * 2, end = (at + count) * 2; o < end; o += 2) {
    while (bits < width) {
      held = (held << 8) | (bytes[next++] ?? 0);
      bits += 8;
    }
    bits -= width;
    out[o] = (held >>> bits) & mask;
    out[o + 1] = 0;
    held &= (1 << bits) - 1;
  }
}

function unpackWholeBytes(bytes: Uint8Array, from: number, size: number, count: number, out: Int32Array, at: number): void {
  let next = from;
  for (let o = at * 2, end = (at + count) * 2; o < end; o += 2) {
    let high = 0;
    for (let i = size; i > 4; i--) high = (high << 8) | (bytes[next++] ?? 0);
    out[o] = ((bytes[next] ?? 0) << 24) | ((bytes[next + 1] ?? 0) << 16) | ((bytes[next + 2] ?? 0) << 8) | (bytes[next + 3] ?? 0);
    out[o + 1] = high;
    next += 4;
  }
}

/** 26, 28 and 30 bits: the upper ones and the lower 16 apart, each of which an int32 holds beside what waits. */
function unpackSplit(bytes: Uint8Array, from: number, width: number, count: number, out: Int32Array, at: number): void {
  const upper = width - 16;
  let [held, bits, next] = [0, 0, from];
  for (let o = at * 2, end = (at + count) * 2; o < end; o += 2) {
    let value = 0;
    for (let part = upper, parts = 0; parts < 2; parts++, part = 16) {
      while (bits < part) {
        held = (held << 8) | (bytes[next++] ?? 0);
        bits += 8;
      }
      bits -= part;
      value = (value << part) | (held >>> bits);
      held &= (1 << bits) - 1;
    }
    out[o] = value;
    out[o + 1] = 0;
  }
}
