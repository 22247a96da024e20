import type { Data } from "apache-arrow";
import type { ColumnType } from "../domain/table-schema.ts";

/**
 * The values of one column of a batch in canonical physical form, laid out as Arrow wants them.
 * `validity` is a bitmap, least significant bit first, 1 = there is a value; null when no value is null.
 *
 * words   int64, time (microseconds since midnight), timestamp (since 1970, in the type's unit)
 * pairs   decimal: two little-endian 64-bit words a row, low first, two's complement, unscaled
 * bits    bool: one bit a row, least significant first
 * bytes   text (UTF-8) and binary: row i is bytes[offsets[i] .. offsets[i + 1])
 * nulls   unknown: no value at all
 * nested  an Arrow Data kept as it came
 */
export type ColumnData = { readonly rows: number; readonly nulls: number; readonly validity: Uint8Array | null } & (
  | { readonly form: "words"; readonly values: BigInt64Array }
  | { readonly form: "pairs"; readonly values: BigInt64Array }
  | { readonly form: "doubles"; readonly values: Float64Array }
  | { readonly form: "days"; readonly values: Int32Array }
  | { readonly form: "bits"; readonly values: Uint8Array }
  | { readonly form: "bytes"; readonly offsets: Int32Array; readonly values: Uint8Array }
  | { readonly form: "nulls" }
  | { readonly form: "nested"; readonly data: Data }
);

/** The form that a type's values take. */
export function formOf(type: ColumnType): ColumnData["form"] {
  switch (type.kind) {
    case "int64":
    case "time":
    case "timestamp":
      return "words";
    case "decimal":
      return "pairs";
    case "double":
      return "doubles";
    case "date":
      return "days";
    case "bool":
      return "bits";
    case "text":
    case "binary":
      return "bytes";
    case "unknown":
      return "nulls";
    case "nested":
      return "nested";
  }
}

/** A bitmap under construction: every row counts as valid until it is cleared. */
export class Validity {
  readonly bits: Uint8Array;
  nulls = 0;

  constructor(rows: number) {
    this.bits = new Uint8Array((rows + 7) >> 3).fill(255);
  }

  clear(row: number): void {
    this.bits[row >> 3] = (this.bits[row >> 3] ?? 0) & ~(1 << (row & 7));
    this.nulls++;
  }

  facts(rows: number): { rows: number; nulls: number; validity: Uint8Array | null } {
    return { rows, nulls: this.nulls, validity: this.nulls === 0 ? null : this.bits };
  }
}

export function isValid(column: ColumnData, row: number): boolean {
  if (column.form === "nulls") return false;
  return column.validity === null || ((column.validity[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
}

export function allNull(rows: number): ColumnData {
  return { form: "nulls", rows, nulls: rows, validity: null };
}

/** The rows whose index is in `keep`, in that order. Nested columns cannot be picked from: slice them instead. */
export function pickRows(column: ColumnData, keep: readonly number[]): ColumnData {
  const rows = keep.length;
  const validity = new Validity(rows);
  keep.forEach((row, i) => {
    if (!isValid(column, row)) validity.clear(i);
  });
  const facts = validity.facts(rows);
  switch (column.form) {
    case "nulls":
      return allNull(rows);
    case "words":
      return { ...facts, form: "words", values: BigInt64Array.from(keep, (row) => column.values[row] ?? 0n) };
    case "doubles":
      return { ...facts, form: "doubles", values: Float64Array.from(keep, (row) => column.values[row] ?? 0) };
    case "days":
      return { ...facts, form: "days", values: Int32Array.from(keep, (row) => column.values[row] ?? 0) };
    case "pairs": {
      const values = new BigInt64Array(rows * 2);
      keep.forEach((row, i) => values.set(column.values.subarray(row * 2, row * 2 + 2), i * 2));
      return { ...facts, form: "pairs", values };
    }
    case "bits": {
      const values = new Uint8Array((rows + 7) >> 3);
      keep.forEach((row, i) => {
        if ((column.values[row >> 3] ?? 0) & (1 << (row & 7))) values[i >> 3] = (values[i >> 3] ?? 0) | (1 << (i & 7));
      });
      return { ...facts, form: "bits", values };
    }
    case "bytes":
      return { ...facts, ...pickBytes(column, keep) };
    case "nested":
      throw new Error("nested columns are sliced, not picked from");
  }
}

function pickBytes(column: ColumnData & { form: "bytes" }, keep: readonly number[]) {
  const offsets = new Int32Array(keep.length + 1);
  keep.forEach((row, i) => {
    offsets[i + 1] = (offsets[i] ?? 0) + (column.offsets[row + 1] ?? 0) - (column.offsets[row] ?? 0);
  });
  const values = new Uint8Array(offsets[keep.length] ?? 0);
  keep.forEach((row, i) => values.set(column.values.subarray(column.offsets[row], column.offsets[row + 1]), offsets[i]));
  return { form: "bytes", offsets, values } as const;
}

/** Runs of consecutive row numbers, as [from, to): 0 1 2 5 6 -> [0,3) [5,7). */
export function runsOf(keep: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const row of keep) {
    const last = runs.at(-1);
    if (last && last[1] === row) last[1] = row + 1;
    else runs.push([row, row + 1]);
  }
  return runs;
}
