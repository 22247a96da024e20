import { Data, DataType, Int8, Utf8 } from "apache-arrow";
import type { ArrayOf, ArrowArray } from "./array.ts";
import { bitAt, countOnes, sliceBits } from "./bits.ts";
import { viewAt } from "./check-arrays.ts";
import { dataOf, type Facts, nested, type Taking } from "./data.ts";
import { fixedData } from "./fixed-data.ts";
import type { Output } from "./output.ts";
import { widthOf } from "./schema.ts";

/** Rows to be taken from an array: a run of them, or any, -1 being a null. */
export type Rows =
  | { readonly count: number; readonly from: number; readonly picks: null }
  | { readonly count: number; readonly picks: Int32Array };

/** The rows of an array in its column's output type. */
export function take(array: ArrowArray, output: Output, rows: Rows, taking: Taking): Data {
  switch (array.is) {
    case "null":
      taking.spend(rows.count);
      return nullData(output, rows.count, taking);
    case "bits":
      return takeBits(array, output.type, rows, taking);
    case "fixed":
      return takeFixed(array, output, rows, taking);
    case "bytes":
      return takeBytes(array, output.type, rows, taking);
    case "views":
      return takeViews(array, output.type, rows, taking);
    case "list":
    case "spans":
      return takeList(array, output, rows, taking);
    case "fixedlist":
      return takeFixedList(array, output, rows, taking);
    case "struct":
      return nested(
        output.type,
        factsOf(array, rows, taking),
        undefined,
        array.children.map((child, i) => take(child, at(output, i), rows, taking)),
      );
    case "union":
      return takeUnion(array, output, rows, taking);
    case "dictionary":
      return take(array.values, output, { count: rows.count, picks: mapped(rows, array.indices, taking) }, taking);
    case "runs":
      return take(array.values, at(output, 1), { count: rows.count, picks: runsAt(array.ends, rows, taking) }, taking);
  }
}

function at(output: Output, index: number): Output {
  const child = output.children[index];
  if (!child) throw new Error(`a type ${output.field.type.is} has no child ${index}`);
  return child;
}

function factsOf(array: ArrowArray, rows: Rows, taking: Taking): Facts {
  const { count } = rows;
  if (rows.picks === null && array.validity === null) return { rows: count, nulls: 0, validity: undefined };
  taking.spend(count >> 3);
  const bits =
    rows.picks === null ? sliceBits(array.validity ?? new Uint8Array(0), rows.from, count) : pickedBits(array.validity, rows.picks);
  const nulls = count - countOnes(bits, count);
  return { rows: count, nulls, validity: nulls === 0 ? undefined : bits };
}

function pickedBits(validity: Uint8Array | null, picks: Int32Array): Uint8Array {
  const out = new Uint8Array((picks.length + 7) >> 3);
  for (let i = 0; i < picks.length; i++) {
    const row = picks[i] ?? -1;
    if (row >= 0 && (validity === null || bitAt(validity, row))) out[i >> 3] = (out[i >> 3] ?? 0) | (1 << (i & 7));
  }
  return out;
}

function takeBits(array: ArrayOf<"bits">, type: DataType, rows: Rows, taking: Taking): Data {
  taking.spend(rows.count >> 3);
  const facts = factsOf(array, rows, taking);
  if (rows.picks === null) return dataOf(type, facts, undefined, sliceBits(array.bits, rows.from, rows.count));
  return dataOf(type, facts, undefined, pickedBits(array.bits, rows.picks));
}

function takeFixed(array: ArrayOf<"fixed">, output: Output, rows: Rows, taking: Taking): Data {
  const { width, bytes } = array;
  taking.spend(rows.count * width);
  const facts = factsOf(array, rows, taking);
  if (rows.picks !== null) return fixedData(output, array.type, pickedValues(bytes, width, rows.picks), facts, taking);
  const slice = bytes.subarray(rows.from * width, (rows.from + rows.count) * width);
  // Typed arrays begin at a multiple of their width, of decimals at one of eight.
  const aligned = slice.byteOffset % Math.min(width || 1, 8) === 0;
  return fixedData(output, array.type, taking.own || !aligned ? slice.slice() : slice, facts, taking);
}

function pickedValues(bytes: Uint8Array, width: number, picks: Int32Array): Uint8Array {
  const out = new Uint8Array(picks.length * width);
  if ((width === 4 || width === 8) && bytes.byteOffset % width === 0) {
    const make = width === 4 ? Int32Array : BigInt64Array;
    copyPicked(new make(bytes.buffer as ArrayBuffer, bytes.byteOffset, Math.floor(bytes.length / width)), new make(out.buffer), picks);
    return out;
  }
  for (let i = 0; i < picks.length; i++) {
    const row = picks[i] ?? -1;
    if (row >= 0) for (let k = 0; k < width; k++) out[i * width + k] = bytes[row * width + k] ?? 0;
  }
  return out;
}

function copyPicked(from: Int32Array | BigInt64Array, to: Int32Array | BigInt64Array, picks: Int32Array): void {
  for (let i = 0; i < picks.length; i++) {
    const row = picks[i] ?? -1;
    if (row >= 0) to[i] = from[row] as never;
  }
}

function takeBytes(array: ArrayOf<"bytes">, type: DataType, rows: Rows, taking: Taking): Data {
  const { offsets, values } = array;
  taking.spend(rows.count * 4);
  const out = new Int32Array(rows.count + 1);
  if (rows.picks === null) {
    const first = offsets[rows.from] ?? 0;
    const end = offsets[rows.from + rows.count] ?? 0;
    taking.spend(end - first);
    for (let i = 1; i <= rows.count; i++) out[i] = (offsets[rows.from + i] ?? 0) - first;
    const slice = values.subarray(first, end);
    return dataOf(type, factsOf(array, rows, taking), out, taking.own ? slice.slice() : slice);
  }
  return gathered(type, factsOf(array, rows, taking), out, taking, (i) => {
    const row = rows.picks[i] ?? -1;
    return row < 0 ? null : values.subarray(offsets[row], offsets[row + 1]);
  });
}

function takeViews(array: ArrayOf<"views">, type: DataType, rows: Rows, taking: Taking): Data {
  taking.spend(rows.count * 4);
  const { views, data, validity } = array;
  const raw = new Uint8Array(views.buffer, views.byteOffset, views.byteLength);
  return gathered(type, factsOf(array, rows, taking), new Int32Array(rows.count + 1), taking, (i) => {
    const row = rowAt(rows, i);
    return row < 0 || (validity && !bitAt(validity, row)) ? null : viewAt(views, raw, data, row);
  });
}

/** Texts one after the other. Their length is known before memory for them is taken. */
function gathered(type: DataType, facts: Facts, offsets: Int32Array, taking: Taking, cell: (i: number) => Uint8Array | null): Data {
  let total = 0;
  for (let i = 0; i < facts.rows; i++) {
    total += cell(i)?.length ?? 0;
    if (total > 2 ** 31 - 1) taking.spend(total);
    offsets[i + 1] = total;
  }
  taking.spend(total);
  const values = new Uint8Array(total);
  for (let i = 0; i < facts.rows; i++) {
    const bytes = cell(i);
    const to = offsets[i] ?? 0;
    if (bytes === null || bytes.length === 0) continue;
    if (bytes.length > 16) values.set(bytes, to);
    else for (let k = 0; k < bytes.length; k++) values[to + k] = bytes[k] ?? 0;
  }
  return dataOf(type, facts, offsets, values);
}

function rowAt(rows: Rows, i: number): number {
  return rows.picks === null ? rows.from + i : (rows.picks[i] ?? -1);
}

function takeList(array: ArrayOf<"list" | "spans">, output: Output, rows: Rows, taking: Taking): Data {
  taking.spend(rows.count * 4);
  const facts = factsOf(array, rows, taking);
  const { offsets, child } = array;
  const out = new Int32Array(rows.count + 1);
  if (array.is === "list" && rows.picks === null) {
    const first = offsets[rows.from] ?? 0;
    for (let i = 1; i <= rows.count; i++) out[i] = (offsets[rows.from + i] ?? 0) - first;
    const within = { count: out[rows.count] ?? 0, from: first, picks: null };
    return nested(output.type, facts, out, [take(child, at(output, 0), within, taking)]);
  }
  const { validity } = array;
  const sizeAt = (row: number): number => {
    if (row < 0 || (validity && !bitAt(validity, row))) return 0;
    return array.is === "spans" ? (array.sizes[row] ?? 0) : (offsets[row + 1] ?? 0) - (offsets[row] ?? 0);
  };
  let total = 0;
  for (let i = 0; i < rows.count; i++) {
    total += sizeAt(rowAt(rows, i));
    if (total > 2 ** 31 - 1) taking.spend(total);
    out[i + 1] = total;
  }
  taking.spend(total * 4);
  const picks = new Int32Array(total);
  let to = 0;
  for (let i = 0; i < rows.count; i++) {
    const row = rowAt(rows, i);
    const [from, size] = [offsets[row] ?? 0, sizeAt(row)];
    for (let k = 0; k < size; k++) picks[to++] = from + k;
  }
  return nested(output.type, facts, out, [take(child, at(output, 0), { count: total, picks }, taking)]);
}

function takeFixedList(array: ArrayOf<"fixedlist">, output: Output, rows: Rows, taking: Taking): Data {
  const { size, child } = array;
  const facts = factsOf(array, rows, taking);
  const count = rows.count * size;
  if (rows.picks === null) {
    return nested(output.type, facts, undefined, [take(child, at(output, 0), { count, from: rows.from * size, picks: null }, taking)]);
  }
  taking.spend(count * 4);
  const picks = new Int32Array(count);
  for (let i = 0; i < rows.count; i++) {
    const row = rows.picks[i] ?? -1;
    for (let k = 0; k < size; k++) picks[i * size + k] = row < 0 ? -1 : row * size + k;
  }
  return nested(output.type, facts, undefined, [take(child, at(output, 0), { count, picks }, taking)]);
}

function takeUnion(array: ArrayOf<"union">, output: Output, rows: Rows, taking: Taking): Data {
  const facts = factsOf(array, rows, taking);
  taking.spend(rows.count);
  const ids = new Int8Array(rows.count);
  for (let i = 0; i < rows.count; i++) ids[i] = array.ids[rowAt(rows, i)] ?? 0;
  const children = array.children.map((child, type) => {
    taking.spend(rows.count * 4);
    const picks = new Int32Array(rows.count);
    for (let i = 0; i < rows.count; i++) {
      const row = rowAt(rows, i);
      const here = row >= 0 && array.picks[row] === type && (array.validity === null || bitAt(array.validity, row));
      picks[i] = here ? (array.offsets === null ? row : (array.offsets[row] ?? -1)) : -1;
    }
    return take(child, at(output, type), { count: rows.count, picks }, taking);
  });
  return nested(output.type, facts, undefined, [dataOf(new Int8(), facts, undefined, ids), ...children]);
}

function mapped(rows: Rows, indices: Int32Array, taking: Taking): Int32Array {
  if (rows.picks === null) return indices.subarray(rows.from, rows.from + rows.count);
  taking.spend(rows.count * 4);
  return rows.picks.map((row) => (row < 0 ? -1 : (indices[row] ?? -1)));
}

function runsAt(ends: Int32Array, rows: Rows, taking: Taking): Int32Array {
  taking.spend(rows.count * 4);
  const out = new Int32Array(rows.count);
  let run = 0;
  for (let i = 0; i < rows.count; i++) {
    const row = rowAt(rows, i);
    if (row < 0) out[i] = -1;
    else {
      if (row >= (ends[run] ?? 0) || row < (ends[run - 1] ?? 0)) run = firstBeyond(ends, row);
      out[i] = run;
    }
  }
  return out;
}

/** The first of ascending numbers that is greater than `value`. */
function firstBeyond(numbers: Int32Array, value: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Rows without a value in any type. */
export function nullData(output: Output, count: number, taking: Taking): Data {
  const { type } = output;
  if (DataType.isNull(type)) {
    if (!taking.own) return new Data(type, 0, count, count);
    // Within a nested column they are laid out as the text that Parquet gets: it has no type for nulls.
    const facts = { rows: count, nulls: count, validity: new Uint8Array((count + 7) >> 3) };
    return dataOf(new Utf8(), facts, new Int32Array(count + 1), new Uint8Array(0));
  }
  return take(emptyArray(output), output, { count, picks: new Int32Array(count).fill(-1) }, taking);
}

/** An array of no rows, from which only nulls can be taken. */
function emptyArray(output: Output): ArrowArray {
  const none = { length: 0, nulls: 0, validity: null, depth: 0 } as const;
  const { type } = output.field;
  const bytes = new Uint8Array(0);
  const child = (index: number) => emptyArray(at(output, index));
  switch (type.is) {
    case "null":
      return { ...none, is: "null" };
    case "bool":
      return { ...none, is: "bits", bits: bytes };
    case "utf8":
    case "binary":
    case "utf8view":
    case "binaryview":
      return { ...none, is: "bytes", offsets: new Int32Array(1), values: bytes };
    case "list":
    case "spans":
    case "map":
      return { ...none, is: "list", offsets: new Int32Array(1), child: child(0) };
    case "fixedlist":
      return { ...none, is: "fixedlist", size: type.size, child: child(0) };
    case "struct":
      return { ...none, is: "struct", children: output.children.map(emptyArray) };
    case "union":
      return { ...none, is: "union", ids: new Int8Array(0), picks: bytes, offsets: null, children: output.children.map(emptyArray) };
    case "runs":
      return { ...none, is: "runs", ends: new Int32Array(0), values: child(1) };
    case "bytes":
    case "interval":
    case "int":
    case "float":
    case "decimal":
    case "time":
    case "date":
    case "timestamp":
    case "duration":
      return { ...none, is: "fixed", type, width: widthOf(type), bytes };
  }
}
