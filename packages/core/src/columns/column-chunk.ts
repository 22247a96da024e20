import type { ColumnType } from "../domain/table-schema.ts";

/**
 * Values of one column without its nulls, one after the other, in the layout that Parquet's PLAIN encoding wants.
 * `count` is the number of values; arrays may be longer than what is in use.
 *
 * words   int64, time, timestamp: value i is the two little-endian 32-bit halves at 2i (low) and 2i + 1 (high)
 * pairs   decimal: four 32-bit words a value from 4i, least significant first, two's complement, unscaled
 * doubles double
 * days    date: days since 1970
 * bools   bool: one byte a value, 0 or 1
 * bytes   text (UTF-8) and binary: for each value its length as uint32 little-endian, then its bytes; `length` bytes in all
 */
export type DenseValues =
  | { readonly form: "words"; readonly count: number; readonly halves: Int32Array }
  | { readonly form: "pairs"; readonly count: number; readonly quarters: Int32Array }
  | { readonly form: "doubles"; readonly count: number; readonly values: Float64Array }
  | { readonly form: "days"; readonly count: number; readonly values: Int32Array }
  | { readonly form: "bools"; readonly count: number; readonly values: Uint8Array }
  | { readonly form: "bytes"; readonly count: number; readonly length: number; readonly data: Uint8Array };

/**
 * One column of one row group: what readers of any format fill and the Parquet encoder writes. Of its `rows - nulls` values
 * the first `coded` are ids into `dictionary`, the others stand in `plain` (a dictionary may be given up on the way;
 * its ids so far stay). Everything is valid until the encoder returns, and belongs to whoever filled it.
 */
export interface ColumnChunk {
  readonly type: ColumnType;
  readonly rows: number;
  readonly nulls: number;
  /** One byte a row, 1 where there is a value; null when no row is null. May be longer than `rows`. */
  readonly present: Uint8Array | null;
  readonly coded: number;
  /** `coded` ids, each below `dictionary.count`; null when `coded` is 0. May be longer than `coded`. */
  readonly ids: Uint16Array | Uint32Array | null;
  /** Distinct values, by id; may hold values that no id names. */
  readonly dictionary: DenseValues | null;
  readonly plain: DenseValues;
}
