import type { ColumnType } from "../../domain/table-schema.ts";
import { coerce } from "../../schema/coerce.ts";
import { setWord } from "../../schema/coerce-number.ts";
import { allNull, type ColumnData, Validity } from "../../schema/column-data.ts";
import type { Cells } from "./row-cells.ts";
import { KIND } from "./scan-value.ts";
import { cellText, unescape } from "./text.ts";

/**
 * Values of one place under the type that all of them have (the place was looked at before): straight from the bytes
 * where that is simple, by way of text where it is rare.
 */
export function leafData(cells: Cells, type: ColumnType): ColumnData {
  switch (type.kind) {
    case "unknown":
      return allNull(cells.count);
    case "bool":
      return bools(cells);
    case "int64":
      return ints(cells);
    case "double":
      return doubles(cells);
    case "text":
      return texts(cells);
    case "decimal":
    case "date":
    case "time":
    case "timestamp":
      return byText(cells, type);
    case "binary":
    case "nested":
      throw new Error(`no leaf of JSON is ${type.kind}`);
  }
}

function bools({ kinds, first, step, count }: Cells): ColumnData {
  const validity = new Validity(count);
  const values = new Uint8Array((count + 7) >> 3);
  for (let i = 0, c = first; i < count; i++, c += step) {
    const kind = kinds[c] ?? 0;
    if (kind === KIND.true) values[i >> 3] = (values[i >> 3] ?? 0) | (1 << (i & 7));
    else if (kind !== KIND.false) validity.clear(i);
  }
  return { ...validity.facts(count), form: "bits", values };
}

/** Digits that a double counts exactly. */
const EXACT_DIGITS = 15;

function ints({ bytes, starts, ends, kinds, first, step, count }: Cells): ColumnData {
  const validity = new Validity(count);
  const values = new BigInt64Array(count);
  const halves = new Int32Array(values.buffer);
  for (let i = 0, c = first; i < count; i++, c += step) {
    if ((kinds[c] ?? 0) <= KIND.null) {
      validity.clear(i);
      continue;
    }
    const start = starts[c] ?? 0;
    const end = ends[c] ?? 0;
    const negative = bytes[start] === 45;
    const from = negative ? start + 1 : start;
    if (end - from <= 9) {
      let value = 0;
      for (let k = from; k < end; k++) value = (value * 10 + (bytes[k] ?? 0) - 48) | 0;
      if (negative) value = -value;
      halves[i * 2] = value;
      halves[i * 2 + 1] = value >> 31;
    } else if (end - from <= EXACT_DIGITS) {
      let value = 0;
      for (let k = from; k < end; k++) value = value * 10 + (bytes[k] ?? 0) - 48;
      setWord(halves, i, negative ? -value : value);
    } else values[i] = BigInt(cellText(bytes, start, end, KIND.int) ?? 0);
  }
  return { ...validity.facts(count), form: "words", values };
}

/** Powers of ten that a double holds exactly: a whole number below 2^53 divided by one of them is rounded once, as it must be. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);

function doubles({ bytes, starts, ends, kinds, first, step, count }: Cells): ColumnData {
  const validity = new Validity(count);
  const values = new Float64Array(count);
  for (let i = 0, c = first; i < count; i++, c += step) {
    if ((kinds[c] ?? 0) <= KIND.null) validity.clear(i);
    else values[i] = doubleOf(bytes, starts[c] ?? 0, ends[c] ?? 0);
  }
  return { ...validity.facts(count), form: "doubles", values };
}

function doubleOf(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === 45;
  const from = negative ? start + 1 : start;
  if (end - from <= EXACT_DIGITS + 1) {
    let mantissa = 0;
    let scale = 0;
    let i = from;
    for (; i < end; i++) {
      const digit = (bytes[i] ?? 0) - 48;
      if (digit === -2) scale = end - i - 1;
      else if (digit <= 9) mantissa = mantissa * 10 + digit;
      else break;
    }
    if (i === end && (scale > 0 || end - from <= EXACT_DIGITS)) {
      const value = mantissa / (POWERS[scale] ?? 1);
      return negative ? -value : value;
    }
  }
  return Number(cellText(bytes, start, end, KIND.fraction));
}

function texts({ bytes, starts, ends, kinds, first, step, count }: Cells): ColumnData {
  const validity = new Validity(count);
  const offsets = new Int32Array(count + 1);
  let room = 0;
  for (let i = 0, c = first; i < count; i++, c += step) if ((kinds[c] ?? 0) > KIND.null) room += (ends[c] ?? 0) - (starts[c] ?? 0);
  const values = new Uint8Array(room);
  let at = 0;
  for (let i = 0, c = first; i < count; i++, c += step) {
    const kind = kinds[c] ?? 0;
    const start = starts[c] ?? 0;
    const end = ends[c] ?? 0;
    if (kind <= KIND.null) validity.clear(i);
    else if (kind === KIND.escaped) at = unescape(bytes, start, end, values, at);
    else if (end - start < 48) for (let k = start; k < end; k++) values[at++] = bytes[k] ?? 0;
    else {
      values.set(bytes.subarray(start, end), at);
      at += end - start;
    }
    offsets[i + 1] = at;
  }
  return { ...validity.facts(count), form: "bytes", offsets, values: values.subarray(0, at) };
}

function byText(cells: Cells, type: ColumnType): ColumnData {
  return coerce(textsOf(cells), type, { declared: false }, (_, cell) => {
    throw new Error(`${JSON.stringify(cell)} was taken for ${type.kind}`);
  });
}

/** Values as they are written, texts without their quotes and escapes; null for null and none. */
export function textsOf({ bytes, starts, ends, kinds, first, step, count }: Cells): (string | null)[] {
  return Array.from({ length: count }, (_, i) => {
    const c = first + i * step;
    return cellText(bytes, starts[c] ?? 0, ends[c] ?? 0, kinds[c] ?? 0);
  });
}
