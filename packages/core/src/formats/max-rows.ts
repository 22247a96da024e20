import { type ColumnData, pickRows } from "../schema/column-data.ts";
import type { SourceBatch, SourceCells } from "./format.ts";

/** Batches of rows by the option `max_rows`, for readers that cannot leave rows out themselves: the rows beyond are skipped. */
export async function* firstRows(batches: AsyncIterable<SourceBatch>, most: number | undefined): AsyncGenerator<SourceBatch> {
  let room = most ?? Number.POSITIVE_INFINITY;
  for await (const batch of batches) {
    const rows = Math.min(batch.rows, room);
    room -= rows;
    yield rows === batch.rows ? batch : cutTo(batch, rows);
  }
}

function cutTo(batch: SourceBatch, rows: number): SourceBatch {
  return {
    rows,
    columns: batch.columns.map((cells): SourceCells =>
      "text" in cells ? { text: cells.text.slice(0, rows) } : { data: head(cells.data, rows) },
    ),
    misfits: batch.misfits,
    filled: batch.filled,
    cut: batch.cut,
    skipped: (batch.skipped ?? 0) + batch.rows - rows,
    rowNumbers: batch.rowNumbers.slice(0, rows),
    place: (i) => batch.place(i),
    rawBytes: batch.rawBytes,
  };
}

function head(data: ColumnData, rows: number): ColumnData {
  if (data.form === "nested") return { ...data, rows, validity: null, data: data.data.slice(0, rows) };
  return pickRows(data, [...Array(rows).keys()]);
}
