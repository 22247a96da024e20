import type { FixedType } from "./schema.ts";

/**
 * Arrays of one batch as they lie in its body, already checked: whoever reads them needs no bounds of their own.
 * `validity` is null when every row has a value.
 *
 * null        no value at all
 * bits        one bit a row
 * fixed       `width` bytes a row, little-endian
 * bytes       row i is values[offsets[i] .. offsets[i + 1])
 * views       16 bytes a row: [length, up to 12 bytes] or [length, first four bytes, buffer, offset]
 * list        row i is the child's rows offsets[i] .. offsets[i + 1]
 * spans       row i is the child's rows offsets[i] .. offsets[i] + sizes[i]
 * fixedlist   row i is the child's rows i * size .. (i + 1) * size
 * union       row i is row `offsets[i]` (i itself where there are none) of children[picks[i]]
 * dictionary  row i is row indices[i] of values; -1 is null
 * runs        row i is the first row r of values with ends[r] > i
 */
export type ArrowArray = {
  readonly length: number;
  readonly nulls: number;
  readonly validity: Uint8Array | null;
  /** Levels of arrays within, to bound recursion. */
  readonly depth: number;
} & (
  | { readonly is: "null" }
  | { readonly is: "bits"; readonly bits: Uint8Array }
  | { readonly is: "fixed"; readonly type: FixedType; readonly width: number; readonly bytes: Uint8Array }
  | { readonly is: "bytes"; readonly offsets: Int32Array; readonly values: Uint8Array }
  | { readonly is: "views"; readonly views: Int32Array; readonly data: readonly Uint8Array[] }
  | { readonly is: "list"; readonly offsets: Int32Array; readonly child: ArrowArray }
  | { readonly is: "spans"; readonly offsets: Int32Array; readonly sizes: Int32Array; readonly child: ArrowArray }
  | { readonly is: "fixedlist"; readonly size: number; readonly child: ArrowArray }
  | { readonly is: "struct"; readonly children: readonly ArrowArray[] }
  | {
      readonly is: "union";
      readonly ids: Int8Array;
      readonly picks: Uint8Array;
      readonly offsets: Int32Array | null;
      readonly children: readonly ArrowArray[];
    }
  | { readonly is: "dictionary"; readonly indices: Int32Array; readonly values: ArrowArray }
  | { readonly is: "runs"; readonly ends: Int32Array; readonly values: ArrowArray }
);

export type ArrayOf<K extends ArrowArray["is"]> = Extract<ArrowArray, { is: K }>;
