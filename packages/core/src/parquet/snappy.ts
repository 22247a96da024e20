/**
 * Snappy's block format (format_description.txt of google/snappy): the length as a varint, then literals and copies.
 *
 *   literal  00 in the low two bits, length - 1 in the others (60, 61, 62: in the next 1, 2, 3 bytes), then the bytes
 *   copy     10 in the low two bits, length - 1 (at most 63) in the others, then the offset in two bytes
 *
 * One greedy pass with a table of the last place of each hash of four bytes, over blocks of 64 KB, so that offsets fit two bytes.
 */
const BLOCK = 65_536;
const TABLE_BITS = 14;
const LONGEST_COPY = 64;

const table = new Int32Array(1 << TABLE_BITS);

export function snappy(input: Uint8Array): Uint8Array {
  const out = new Uint8Array(32 + input.length + Math.ceil(input.length / 6));
  let at = 0;
  let rest = input.length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
  out[at++] = rest;
  for (let from = 0; from < input.length; from += BLOCK) at = putBlock(input, from, Math.min(from + BLOCK, input.length), out, at);
  return out.subarray(0, at);
}

function putBlock(input: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  table.fill(-1);
  let literal = from;
  let misses = 32;
  for (let i = from; i + 4 <= to;) {
    const word = wordAt(input, i);
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - TABLE_BITS);
    const seen = table[hash]!;
    table[hash] = i;
    if (seen < 0 || wordAt(input, seen) !== word) {
      // The longer nothing is found, the larger the steps: what does not compress is passed quickly.
      i += misses++ >> 5;
      continue;
    }
    let end = i + 4;
    while (end < to && input[end] === input[seen + end - i]) end++;
    at = putLiteral(input, literal, i, out, at);
    at = putCopy(i - seen, end - i, out, at);
    i = end;
    literal = end;
    misses = 32;
  }
  return putLiteral(input, literal, to, out, at);
}

function wordAt(input: Uint8Array, i: number): number {
  return input[i]! | (input[i + 1]! << 8) | (input[i + 2]! << 16) | (input[i + 3]! << 24);
}

function putLiteral(input: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  const length = to - from;
  if (length === 0) return at;
  if (length <= 60) out[at++] = (length - 1) << 2;
  else if (length <= 256) {
    out[at++] = 60 << 2;
    out[at++] = length - 1;
  } else {
    out[at++] = 61 << 2;
    out[at++] = length - 1;
    out[at++] = (length - 1) >> 8;
  }
  out.set(input.subarray(from, to), at);
  return at + length;
}

function putCopy(offset: number, length: number, out: Uint8Array, at: number): number {
  for (let rest = length; rest > 0;) {
    const take = Math.min(rest, LONGEST_COPY);
    out[at] = ((take - 1) << 2) | 2;
    out[at + 1] = offset;
    out[at + 2] = offset >> 8;
    at += 3;
    rest -= take;
  }
  return at;
}
