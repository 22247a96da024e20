import type { Scratch } from "../../columns/scratch.ts";
import { coerce } from "../../schema/coerce.ts";
import type { ColumnData } from "../../schema/column-data.ts";
import { isValid } from "../../schema/column-data.ts";
import type { LoadJob } from "../direct.ts";
import type { ColumnCells } from "./column-cells.ts";
import { observeScalar } from "./observe-cells.ts";
import { KIND } from "./scan-value.ts";
import { cellText } from "./text.ts";

/** Values of several kinds in a column of one type: each by its text, as `coerce` takes it. Objects and arrays count as texts. */
export function loadByText(cells: ColumnCells, job: LoadJob, out: Scratch): void {
  const { bytes, starts, ends, kinds, rows } = cells;
  const texts: (string | null)[] = [];
  for (let row = 0; row < rows; row++) {
    const kind = kinds[row] ?? 0;
    const [start, end] = [starts[row] ?? 0, ends[row] ?? 0];
    if (job.seen !== null) {
      if (kind < KIND.object) observeScalar(job.seen, bytes, start, end, kind);
      else job.seen.texts++;
    }
    texts.push(cellText(bytes, start, end, kind));
  }
  put(coerce(texts, job.type, job, job.onBad), out);
}

/** A column as a scratch has it: its nulls left out. */
function put(data: ColumnData, out: Scratch): void {
  let count = 0;
  for (let row = 0; row < data.rows; row++) {
    if (!isValid(data, row)) {
      out.present[row] = 0;
      continue;
    }
    out.present[row] = 1;
    putValue(data, row, out, count++);
  }
  out.nulls = data.rows - count;
  out.count = count;
}

function putValue(data: ColumnData, row: number, out: Scratch, count: number): void {
  out.codes[count] = -1;
  switch (data.form) {
    case "words":
    case "doubles":
      out.words.set(new Int32Array(data.values.buffer, data.values.byteOffset + row * 8, 2), count * 2);
      return;
    case "pairs":
      out.words.set(new Int32Array(data.values.buffer, data.values.byteOffset + row * 16, 4), count * 4);
      return;
    case "days":
      out.words[count] = data.values[row] ?? 0;
      return;
    case "bits":
      out.bools[count] = ((data.values[row >> 3] ?? 0) >> (row & 7)) & 1;
      return;
    case "bytes":
    case "nulls":
    case "nested":
      throw new Error(`no values of ${data.form} are loaded so`);
  }
}
