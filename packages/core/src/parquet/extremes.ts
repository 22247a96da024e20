import type { DenseValues } from "../columns/column-chunk.ts";

/**
 * Where the least and the greatest of some values stand: indexes of values, for the form `bytes` offsets of their length words;
 * -1 where there is none. `unordered` is set where a value (NaN) has no place in the order: nothing may be said of such values.
 */
export interface Extremes {
  readonly least: number;
  readonly greatest: number;
  readonly unordered: boolean;
}

const NONE: Extremes = { least: -1, greatest: -1, unordered: false };

/**
 * Extremes of values [from, to) in Parquet's order: integers and decimals signed, doubles by value, bytes unsigned. Of a
 * dictionary only ids with a nonzero mark in `used` count; null: all do. For `bytes` the range is always of all values.
 */
export function extremesOf(values: DenseValues, from: number, to: number, used: Uint8Array | null): Extremes {
  if (from >= to) return NONE;
  switch (values.form) {
    case "words":
      return ofWords(values.halves, from, to, used);
    case "pairs":
      return byOrder(values.quarters, quartersBelow, from, to, used);
    case "doubles":
      return ofDoubles(values.values, from, to, used);
    case "days":
      return ofDays(values.values, from, to, used);
    case "bools":
      return ofBools(values.values, from, to, used);
    case "bytes":
      return extremesOfBytes(values.data, 0, values.count, 0, Infinity, used);
  }
}

/** Doubles tell values below this apart, and none that they round lies within it. */
const EXACT = 2 ** 53;

function ofWords(halves: Int32Array, from: number, to: number, used: Uint8Array | null): Extremes {
  let least = -1;
  let greatest = -1;
  let low = Infinity;
  let top = -Infinity;
  for (let i = from; i < to; i++) {
    if (used !== null && used[i] === 0) continue;
    const value = halves[2 * i + 1]! * 4294967296 + (halves[2 * i]! >>> 0);
    if (value < low) {
      low = value;
      least = i;
    }
    if (value > top) {
      top = value;
      greatest = i;
    }
  }
  if (low > -EXACT && top < EXACT) return { least, greatest, unordered: false };
  return byOrder(halves, wordsBelow, from, to, used);
}

/** By comparing: values that no number counts exactly. */
function byOrder(values: Int32Array, below: typeof wordsBelow, from: number, to: number, used: Uint8Array | null): Extremes {
  let least = -1;
  let greatest = -1;
  for (let i = from; i < to; i++) {
    if (used !== null && used[i] === 0) continue;
    if (least < 0 || below(values, i, least)) least = i;
    if (greatest < 0 || below(values, greatest, i)) greatest = i;
  }
  return { least, greatest, unordered: false };
}

function wordsBelow(halves: Int32Array, a: number, b: number): boolean {
  const left = halves[2 * a + 1]!;
  const right = halves[2 * b + 1]!;
  return left === right ? halves[2 * a]! >>> 0 < halves[2 * b]! >>> 0 : left < right;
}

function quartersBelow(quarters: Int32Array, a: number, b: number): boolean {
  const topA = quarters[4 * a + 3]!;
  const topB = quarters[4 * b + 3]!;
  if (topA !== topB) return topA < topB;
  for (let word = 2; word >= 0; word--) {
    const left = quarters[4 * a + word]! >>> 0;
    const right = quarters[4 * b + word]! >>> 0;
    if (left !== right) return left < right;
  }
  return false;
}

function ofDoubles(values: Float64Array, from: number, to: number, used: Uint8Array | null): Extremes {
  let least = -1;
  let greatest = -1;
  let low = Infinity;
  let top = -Infinity;
  for (let i = from; i < to; i++) {
    if (used !== null && used[i] === 0) continue;
    const value = values[i]!;
    if (value <= low) {
      low = value;
      least = i;
    }
    if (value >= top) {
      top = value;
      greatest = i;
    }
    if (value !== value) return { least: -1, greatest: -1, unordered: true };
  }
  return { least, greatest, unordered: false };
}

function ofDays(values: Int32Array, from: number, to: number, used: Uint8Array | null): Extremes {
  let least = -1;
  let greatest = -1;
  let low = 0x7fffffff;
  let top = -0x80000000;
  for (let i = from; i < to; i++) {
    if (used !== null && used[i] === 0) continue;
    const value = values[i]!;
    if (value <= low) {
      low = value;
      least = i;
    }
    if (value >= top) {
      top = value;
      greatest = i;
    }
  }
  return { least, greatest, unordered: false };
}

function ofBools(values: Uint8Array, from: number, to: number, used: Uint8Array | null): Extremes {
  let no = -1;
  let yes = -1;
  for (let i = from; i < to && (no < 0 || yes < 0); i++) {
    if (used !== null && used[i] === 0) continue;
    if (values[i] === 0) no = i;
    else yes = i;
  }
  return { least: no < 0 ? yes : no, greatest: yes < 0 ? no : yes, unordered: false };
}

/**
 * Extremes of byte arrays from value `from` on, which begins at the offset `start`, up to value `most`, or to the value that
 * makes it `limit` bytes. `to` is the value after the last one, `end` where that one ends.
 */
export function extremesOfBytes(
  data: Uint8Array,
  from: number,
  most: number,
  start: number,
  limit: number,
  used: Uint8Array | null,
): Extremes & { readonly to: number; readonly end: number } {
  let least = -1;
  let greatest = -1;
  let at = start;
  const full = start + limit;
  // Most values are told apart from both extremes by their first four bytes, as one number.
  let low = 0;
  let top = 0;
  let i = from;
  for (; i < most && at < full; i++) {
    const length = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    if (used === null || used[i] !== 0) {
      const head =
        length >= 4
          ? ((data[at + 4]! << 24) | (data[at + 5]! << 16) | (data[at + 6]! << 8) | data[at + 7]!) >>> 0
          : shortHead(data, at, length);
      if (least < 0) {
        least = at;
        greatest = at;
        low = head;
        top = head;
      } else if (head <= low && (head < low || bytesBelow(data, at, least))) {
        least = at;
        low = head;
      } else if (head >= top && (head > top || bytesBelow(data, greatest, at))) {
        greatest = at;
        top = head;
      }
    }
    at += 4 + length;
  }
  return { least, greatest, unordered: false, to: i, end: at };
}

/** Up to three bytes and zeros after them. */
function shortHead(data: Uint8Array, at: number, length: number): number {
  let head = 0;
  for (let i = 0; i < length; i++) head |= data[at + 4 + i]! << (24 - 8 * i);
  return head >>> 0;
}

function bytesBelow(data: Uint8Array, a: number, b: number): boolean {
  const lengthA = lengthAt(data, a);
  const lengthB = lengthAt(data, b);
  const shorter = Math.min(lengthA, lengthB);
  for (let i = 4; i < shorter + 4; i++) {
    if (data[a + i] !== data[b + i]) return data[a + i]! < data[b + i]!;
  }
  return lengthA < lengthB;
}

/** The length word before a value of form `bytes`. */
export function lengthAt(data: Uint8Array, at: number): number {
  return (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)) >>> 0;
}
