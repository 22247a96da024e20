import type { DenseValues } from "../columns/column-chunk.ts";
import type { ColumnType } from "../domain/table-schema.ts";
import { type Extremes, lengthAt } from "./extremes.ts";
import { PHYSICAL, physicalOf } from "./physical-type.ts";
import { putDecimal } from "./plain.ts";

/** One end of a range of values, as statistics hold it (PLAIN, without a length). `exact`: the value itself stands in the column. */
export interface Bound {
  readonly bytes: Uint8Array;
  readonly exact: boolean;
}

/** The least and greatest of some values; null where there are none, or where they have no order (NaN). */
export interface Bounds {
  readonly min: Bound;
  readonly max: Bound;
}

/** Longer texts are cut, as all writers do: the lower bound to a prefix, the upper one to a prefix made greater. */
const LONGEST = 64;

export function boundsOf(type: ColumnType, values: DenseValues, extremes: Extremes): Bounds | null {
  if (extremes.least < 0 || extremes.unordered) return null;
  if (values.form !== "bytes") {
    return {
      min: { bytes: fixedBytes(type, values, extremes.least, true), exact: true },
      max: { bytes: fixedBytes(type, values, extremes.greatest, false), exact: true },
    };
  }
  const { data } = values;
  const min = data.subarray(extremes.least + 4, extremes.least + 4 + lengthAt(data, extremes.least));
  const max = data.subarray(extremes.greatest + 4, extremes.greatest + 4 + lengthAt(data, extremes.greatest));
  const text = type.kind !== "binary";
  return { min: cutDown(min, text), max: cutUp(max, text) };
}

/** The wider of two ranges. */
export function mergeBounds(type: ColumnType, a: Bounds, b: Bounds): Bounds {
  return {
    min: compareBounds(type, a.min, b.min) <= 0 ? a.min : b.min,
    max: compareBounds(type, a.max, b.max) >= 0 ? a.max : b.max,
  };
}

/** Below 0 when `a` comes first. */
export function compareBounds(type: ColumnType, a: Bound, b: Bound): number {
  const left = Buffer.from(a.bytes.buffer, a.bytes.byteOffset, a.bytes.length);
  const right = Buffer.from(b.bytes.buffer, b.bytes.byteOffset, b.bytes.length);
  switch (physicalOf(type).type) {
    case PHYSICAL.boolean:
      return (left[0] ?? 0) - (right[0] ?? 0);
    case PHYSICAL.int32:
      return left.readInt32LE() - right.readInt32LE();
    case PHYSICAL.int64:
      return left.readInt32LE(4) - right.readInt32LE(4) || left.readUInt32LE() - right.readUInt32LE();
    case PHYSICAL.double:
      return left.readDoubleLE() - right.readDoubleLE();
    case PHYSICAL.fixed:
      return left.readInt8() - right.readInt8() || left.compare(right);
    case PHYSICAL.byteArray:
      return left.compare(right);
  }
}

function fixedBytes(type: ColumnType, values: DenseValues, i: number, lower: boolean): Uint8Array {
  switch (values.form) {
    case "words":
      return copyOf(values.halves, 8 * i, 8);
    case "days":
      return copyOf(values.values, 4 * i, 4);
    case "doubles": {
      const value = values.values[i] ?? 0;
      const bytes = Buffer.alloc(8);
      // Equal zeros have two forms: as a lower bound the negative one is written, as an upper one the positive (parquet.thrift).
      bytes.writeDoubleLE(value === 0 ? (lower ? -0 : 0) : value);
      return bytes;
    }
    case "pairs": {
      const bytes = new Uint8Array(physicalOf(type).width);
      putDecimal(values.quarters, i, physicalOf(type), bytes, 0);
      return bytes;
    }
    case "bools":
      return Uint8Array.of(values.values[i] ?? 0);
    case "bytes":
      throw new Error("byte arrays are cut, not copied");
  }
}

function copyOf(array: Int32Array, offset: number, length: number): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset + offset, length).slice();
}

function cutDown(value: Uint8Array, text: boolean): Bound {
  if (value.length <= LONGEST) return { bytes: value.slice(), exact: true };
  return { bytes: value.slice(0, text ? wholeCharacters(value, LONGEST) : LONGEST), exact: false };
}

function cutUp(value: Uint8Array, text: boolean): Bound {
  if (value.length <= LONGEST) return { bytes: value.slice(), exact: true };
  const cut = value.slice(0, text ? wholeCharacters(value, LONGEST) : LONGEST);
  const raised = text ? raiseText(cut) : raiseBytes(cut);
  return raised === null ? { bytes: value.slice(), exact: true } : { bytes: raised, exact: false };
}

/** How many of at most `most` bytes are whole UTF-8 characters. */
function wholeCharacters(value: Uint8Array, most: number): number {
  let end = most;
  while (end > 0 && ((value[end] ?? 0) & 0xc0) === 0x80) end--;
  return end;
}

/** The shortest prefix whose last byte can be raised, raised; null where every byte is 255. */
function raiseBytes(value: Uint8Array): Uint8Array | null {
  for (let end = value.length; end > 0; end--) {
    const last = value[end - 1] ?? 0;
    if (last === 255) continue;
    const raised = value.slice(0, end);
    raised[end - 1] = last + 1;
    return raised;
  }
  return null;
}

/** As `raiseBytes`, by characters, so that the bound is text too: readers show it. */
function raiseText(value: Uint8Array): Uint8Array | null {
  const characters = Array.from(Buffer.from(value).toString("utf8"));
  for (let end = characters.length; end > 0; end--) {
    const code = characters[end - 1]?.codePointAt(0) ?? 0;
    // Past the surrogates, which UTF-8 does not have.
    const next = code === 0xd7ff ? 0xe000 : code + 1;
    if (next <= 0x10ffff) return Buffer.from(characters.slice(0, end - 1).join("") + String.fromCodePoint(next));
  }
  return null;
}
