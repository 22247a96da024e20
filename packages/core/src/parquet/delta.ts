import type { DenseValues } from "../columns/column-chunk.ts";

/**
 * DELTA_BINARY_PACKED (Encodings.md, "Delta Encoding"):
 *
 *   varint block size | varint miniblocks a block | varint count | zigzag first value
 *   for each block: zigzag least delta | a bit width a miniblock | each miniblock's deltas less the least, bit-packed
 *
 * Values are two 32-bit halves each. Differences are taken as doubles, so the range of the values must stay below 2^51.
 */
const BLOCK = 128;
const MINI = 32;
const MINIS = BLOCK / MINI;

/** Ranges up to this keep every difference, and its zigzag form, exact in a double. */
export const DELTA_RANGE = 2 ** 51;

export interface DeltaSource {
  /** Value i at i * step (low half) and, for step 2, i * step + 1 (high half). */
  readonly words: Int32Array;
  readonly step: 1 | 2;
}

/** Throws for values that have no differences. */
export function deltaSource(values: DenseValues): DeltaSource {
  if (values.form === "words") return { words: values.halves, step: 2 };
  if (values.form === "days") return { words: values.values, step: 1 };
  throw new Error(`no differences of ${values.form}`);
}

/** More bytes than `count` values ever take. */
export function deltaBound(count: number): number {
  return 40 + Math.ceil(count / BLOCK) * (14 + BLOCK * 7);
}

const deltas = new Float64Array(BLOCK);

/** Values [from, to), at least one. */
export function putDelta(source: DeltaSource, from: number, to: number, out: Uint8Array, at: number): number {
  at = putVar(BLOCK, out, at);
  at = putVar(MINIS, out, at);
  at = putVar(to - from, out, at);
  if (from >= to) return putVar(0, out, at);
  at = putFirst(source, from, out, at);
  for (let i = from + 1; i < to; i += BLOCK) at = putBlock(source, i, Math.min(i + BLOCK, to), out, at);
  return at;
}

function putBlock(source: DeltaSource, from: number, to: number, out: Uint8Array, at: number): number {
  const count = to - from;
  const least = source.step === 1 ? shortDeltas(source.words, from, to) : longDeltas(source.words, from, to);
  at = putZigzag(least, out, at);
  const widths = at;
  for (let mini = 0; mini < MINIS; mini++) out[at++] = 0;
  for (let mini = 0; mini * MINI < count; mini++) {
    const start = mini * MINI;
    const end = Math.min(start + MINI, count);
    let top = 0;
    for (let i = start; i < end; i++) {
      const delta = deltas[i]! - least;
      deltas[i] = delta;
      if (delta > top) top = delta;
    }
    for (let i = end; i < start + MINI; i++) deltas[i] = 0;
    const width = bitsOf(top);
    out[widths + mini] = width;
    at = packDeltas(start, width, out, at);
  }
  return at;
}

/** Differences to the value before, into `deltas`; returns the least. */
function longDeltas(words: Int32Array, from: number, to: number): number {
  let least = Infinity;
  let lo = words[2 * from - 2]! >>> 0;
  let hi = words[2 * from - 1]!;
  for (let i = from; i < to; i++) {
    const nextLo = words[2 * i]! >>> 0;
    const nextHi = words[2 * i + 1]!;
    const delta = (nextHi - hi) * 4294967296 + (nextLo - lo);
    deltas[i - from] = delta;
    if (delta < least) least = delta;
    lo = nextLo;
    hi = nextHi;
  }
  return least;
}

function shortDeltas(words: Int32Array, from: number, to: number): number {
  let least = Infinity;
  let before = words[from - 1]!;
  for (let i = from; i < to; i++) {
    const next = words[i]!;
    deltas[i - from] = next - before;
    if (next - before < least) least = next - before;
    before = next;
  }
  return least;
}

function bitsOf(value: number): number {
  return value < 4294967296 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 4294967296));
}

function packDeltas(start: number, width: number, out: Uint8Array, at: number): number {
  if (width === 0) return at;
  let held = 0;
  let bits = 0;
  for (let i = start; i < start + MINI; i++) {
    let rest = deltas[i]!;
    let need = width;
    // At most 7 bits are held, so 24 more fit a 32-bit word.
    for (; need > 24; need -= 24) {
      const high = Math.floor(rest / 16777216);
      held |= (rest - high * 16777216) << bits;
      for (bits += 24; bits >= 8; bits -= 8, held >>>= 8) out[at++] = held;
      rest = high;
    }
    held |= rest << bits;
    for (bits += need; bits >= 8; bits -= 8, held >>>= 8) out[at++] = held;
  }
  return at;
}

function putVar(value: number, out: Uint8Array, at: number): number {
  let rest = value;
  for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
  for (; rest >= 128; rest >>>= 7) out[at++] = (rest & 127) | 128;
  out[at++] = rest;
  return at;
}

function putZigzag(value: number, out: Uint8Array, at: number): number {
  return putVar(value < 0 ? -value * 2 - 1 : value * 2, out, at);
}

/** The first value may be any int64: its zigzag form is made of its halves. */
function putFirst({ words, step }: DeltaSource, i: number, out: Uint8Array, at: number): number {
  const lo = words[i * step]!;
  const hi = step === 2 ? words[2 * i + 1]! : lo >> 31;
  const sign = hi >> 31;
  let low = ((lo << 1) ^ sign) >>> 0;
  let high = (((hi << 1) | (lo >>> 31)) ^ sign) >>> 0;
  while (high > 0 || low >= 128) {
    out[at++] = (low & 127) | 128;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  out[at++] = low;
  return at;
}
