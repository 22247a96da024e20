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
 * Extremes of values [from, to) in Parquet's order: integers and decimals signed, doubles by value, bytes unsigned. `from` and
 * `to` are value indexes; for `bytes` `at` is the offset of value `from`. Of a dictionary only ids with a nonzero mark in
 * `used` count; null: all do.
 */
export function extremesOf(values: DenseValues, from: number, to: number, at: number, used: Uint8Array | null): Extremes {
  if (from >= to) return NONE;
  switch (values.form) {
    case "words":
      return ofWords(values.halves, from, to, used);
    case "pairs":
      return ofQuarters(values.quarters, from, to, used);
    case "doubles":
      return ofDoubles(values.values, from, to, used);
    case "days":
      return ofDays(values.values, from, to, used);
    case "bools":
      return ofBools(values.values, from, to, used);
    case "bytes":
      return ofBytes(values.data, from, to, at, used);
  }
}

function ofWords(halves: Int32Array, from: number, to: number, used: Uint8Array | null): Extremes {
  let least = -1;
  let greatest = -1;
  let lowHi = 0x7fffffff;
  let lowLo = 0xffffffff;
  let topHi = -0x80000000;
  let topLo = 0;
  for (let i = from; i < to; i++) {
    if (used !== null && used[i] === 0) continue;
    const lo = halves[2 * i]! >>> 0;
    const hi = halves[2 * i + 1]!;
    if (hi < lowHi || (hi === lowHi && lo <= lowLo)) {
      lowHi = hi;
      lowLo = lo;
      least = i;
    }
    if (hi > topHi || (hi === topHi && lo >= topLo)) {
      topHi = hi;
      topLo = lo;
      greatest = i;
    }
  }
  return { least, greatest, unordered: false };
}

function ofQuarters(quarters: Int32Array, from: number, to: number, used: Uint8Array | null): Extremes {
  let least = -1;
  let greatest = -1;
  for (let i = from; i < to; i++) {
    if (used !== null && used[i] === 0) continue;
    if (least < 0 || quartersBelow(quarters, i, least)) least = i;
    if (greatest < 0 || quartersBelow(quarters, greatest, i)) greatest = i;
  }
  return { least, greatest, unordered: false };
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

function ofBytes(data: Uint8Array, from: number, to: number, start: number, used: Uint8Array | null): Extremes {
  let least = -1;
  let greatest = -1;
  let at = start;
  let low = 256;
  let top = -1;
  for (let i = from; i < to; i++) {
    const length = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    if (used === null || used[i] !== 0) {
      // Most values are told apart from both extremes by their first byte; an empty one has none, and is below all.
      const first = length === 0 ? -1 : data[at + 4]!;
      if (first <= low && (first < low || bytesBelow(data, at, least))) {
        least = at;
        low = first;
      }
      if (first >= top && (greatest < 0 || first > top || bytesBelow(data, greatest, at))) {
        greatest = at;
        top = first;
      }
    }
    at += 4 + length;
  }
  return { least, greatest, unordered: false };
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
