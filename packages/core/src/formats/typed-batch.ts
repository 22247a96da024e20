import type { Data } from "apache-arrow";
import { columnDataOf, cutIn } from "./arrow-columns.ts";
import type { SourceBatch } from "./format.ts";

/** A batch of columns that came typed, for formats without physical lines. `cut` counts values that lost digits on the way here. */
export function typedBatch(columns: readonly Data[], rows: number, at: { rowsBefore: number; rawBytes: number; cut: number }): SourceBatch {
  const { rowsBefore, rawBytes, cut } = at;
  return {
    rows,
    columns: columns.map((data) => ({ data: columnDataOf(data) })),
    misfits: [],
    filled: 0,
    cut: cut + columns.reduce((sum, data) => sum + cutIn(data), 0),
    rowNumbers: Array.from({ length: rows }, (_, i) => rowsBefore + i + 1),
    place: (i) => ({ row: rowsBefore + i + 1, byteOffset: null, line: null, raw: null }),
    rawBytes,
  };
}
