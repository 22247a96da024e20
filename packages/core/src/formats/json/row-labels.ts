import type { DecodedChunk } from "../decompress.ts";
import type { RecordBatch } from "./records.ts";
import type { Cells } from "./row-cells.ts";
import { KIND } from "./scan-value.ts";
import { textOf } from "./text.ts";
import { ValueCursor } from "./value-cursor.ts";

/** Labels that stand in an array of their own, beside the rows. */
export class RowLabels {
  /** Every label so far is the row's position, from 0. */
  arePositions = true;
  #rows = 0;
  readonly #cursor: ValueCursor;

  constructor(chunks: AsyncIterable<DecodedChunk>) {
    this.#cursor = new ValueCursor(chunks);
  }

  /** The labels of a batch's rows; those of its misfits are passed over. */
  async of({ cells, misfits, rowNumbers }: RecordBatch): Promise<Cells> {
    const taken = await this.#cursor.take(cells.rows + misfits.length);
    const count = cells.rows;
    const picked = { ...taken, starts: new Int32Array(count), ends: new Int32Array(count), kinds: new Uint8Array(count), count };
    for (let i = 0; i < count; i++) {
      const at = (rowNumbers[i] ?? 0) - 1 - this.#rows;
      if (at >= taken.count) continue;
      picked.starts[i] = taken.starts[at] ?? 0;
      picked.ends[i] = taken.ends[at] ?? 0;
      picked.kinds[i] = taken.kinds[at] ?? 0;
      if (!this.arePositions) continue;
      const text = picked.kinds[i] === KIND.int ? textOf(taken.bytes, picked.starts[i] ?? 0, picked.ends[i] ?? 0, false) : "";
      this.arePositions = text === String(this.#rows + at);
    }
    this.#rows += cells.rows + misfits.length;
    return picked;
  }

  async close(): Promise<void> {
    await this.#cursor.close();
  }
}
