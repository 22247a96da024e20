import type { DenseValues } from "../columns/column-chunk.ts";
import { lengthAt } from "./extremes.ts";
import { PHYSICAL, type Physical } from "./physical-type.ts";

/** Bytes that values take in PLAIN encoding. */
export function plainLength(values: DenseValues, physical: Physical): number {
  if (values.form === "bytes") return values.length;
  return values.form === "bools" ? (values.count + 7) >> 3 : values.count * physical.width;
}

/**
 * Writes values [from, to) in PLAIN encoding; returns where they end. For `bytes` the range is of offsets into the data, which
 * lies there as PLAIN wants it already.
 */
export function putPlain(values: DenseValues, physical: Physical, from: number, to: number, out: Uint8Array, at: number): number {
  switch (values.form) {
    case "words":
      return putCopy(values.halves, from * 8, to * 8, out, at);
    case "doubles":
      return putCopy(values.values, from * 8, to * 8, out, at);
    case "days":
      return putCopy(values.values, from * 4, to * 4, out, at);
    case "bytes":
      return putCopy(values.data, from, to, out, at);
    case "bools":
      return putBits(values.values, from, to, out, at);
    case "pairs":
      for (let i = from; i < to; i++) at = putDecimal(values.quarters, i, physical, out, at);
      return at;
  }
}

function putCopy(array: Int32Array | Float64Array | Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  out.set(new Uint8Array(array.buffer, array.byteOffset + from, to - from), at);
  return at + to - from;
}

function putBits(values: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  let i = from;
  for (; i + 8 <= to; i += 8) {
    out[at++] =
      values[i]! |
      (values[i + 1]! << 1) |
      (values[i + 2]! << 2) |
      (values[i + 3]! << 3) |
      (values[i + 4]! << 4) |
      (values[i + 5]! << 5) |
      (values[i + 6]! << 6) |
      (values[i + 7]! << 7);
  }
  if (i < to) {
    let last = 0;
    for (let bit = 0; i < to; i++, bit++) last |= values[i]! << bit;
    out[at++] = last;
  }
  return at;
}

/** One decimal: INT32 and INT64 little-endian, FIXED_LEN_BYTE_ARRAY big-endian, all two's complement. */
export function putDecimal(quarters: Int32Array, i: number, physical: Physical, out: Uint8Array, at: number): number {
  const { width } = physical;
  if (physical.type !== PHYSICAL.fixed) {
    for (let byte = 0; byte < width; byte++) out[at + byte] = quarters[4 * i + (byte >> 2)]! >> ((byte & 3) * 8);
  } else {
    for (let byte = 0; byte < width; byte++) out[at + width - 1 - byte] = quarters[4 * i + (byte >> 2)]! >> ((byte & 3) * 8);
  }
  return at + width;
}

type Ids = Uint16Array | Uint32Array;

/** The values that `count` ids name, without the dictionary. */
export function decodeIds(dictionary: DenseValues, ids: Ids, count: number): DenseValues {
  switch (dictionary.form) {
    case "words":
      return { form: "words", count, halves: decodeWords(dictionary.halves, ids, count, 2) };
    case "pairs":
      return { form: "pairs", count, quarters: decodeWords(dictionary.quarters, ids, count, 4) };
    case "days":
      return { form: "days", count, values: decodeWords(dictionary.values, ids, count, 1) };
    case "doubles": {
      const values = new Float64Array(count);
      const from = dictionary.values;
      for (let i = 0; i < count; i++) values[i] = from[ids[i]!]!;
      return { form: "doubles", count, values };
    }
    case "bools": {
      const values = new Uint8Array(count);
      for (let i = 0; i < count; i++) values[i] = dictionary.values[ids[i]!]!;
      return { form: "bools", count, values };
    }
    case "bytes":
      return decodeBytes(dictionary, ids, count);
  }
}

function decodeWords(from: Int32Array, ids: Ids, count: number, words: number): Int32Array {
  const to = new Int32Array(count * words);
  for (let i = 0; i < count; i++) {
    const at = ids[i]! * words;
    for (let word = 0; word < words; word++) to[i * words + word] = from[at + word]!;
  }
  return to;
}

function decodeBytes(dictionary: DenseValues & { form: "bytes" }, ids: Ids, count: number): DenseValues {
  const { data } = dictionary;
  const starts = startsOf(dictionary);
  let length = 0;
  for (let i = 0; i < count; i++) length += starts[ids[i]! + 1]! - starts[ids[i]!]!;
  const to = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const end = starts[ids[i]! + 1]!;
    for (let from = starts[ids[i]!]!; from < end; from++) to[at++] = data[from]!;
  }
  return { form: "bytes", count, length, data: to };
}

/** Where each value begins, and after them where the last ends. */
export function startsOf(values: DenseValues & { form: "bytes" }): Uint32Array {
  const starts = new Uint32Array(values.count + 1);
  let at = 0;
  for (let i = 0; i < values.count; i++) {
    starts[i] = at;
    at += 4 + lengthAt(values.data, at);
  }
  starts[values.count] = at;
  return starts;
}
