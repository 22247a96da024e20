import type { Data } from "apache-arrow";
import type { SourceColumn } from "../../schema/enforce.ts";
import type { FormatLimits, SourceBatch } from "../format.ts";
import { typedBatch } from "../typed-batch.ts";
import type { ReadBatch } from "./open-arrow.ts";
import type { Output } from "./output.ts";
import { beyond } from "./refuse.ts";
import { take } from "./take.ts";

/** As the other formats: some thousand rows, about 8 MB. */
const BATCH_ROWS = 8_192;
const BATCH_BYTES = 8 * 2 ** 20;
/** As in decompress.ts: below it a ratio says nothing. */
const RATIO_FROM_BYTES = 64 * 2 ** 20;

/** Thrown within, when rows taken together grow too large. */
class TooLarge extends Error {}

/**
 * Record batches of any size as source batches of a fitting one. A dictionary or a run may stand for far more than its bytes, so
 * a window that grows beyond its budget is taken again with half its rows.
 */
export class Windows {
  readonly #outputs: readonly Output[];
  readonly #columns: readonly SourceColumn[];
  readonly #limits: FormatLimits;
  #window = BATCH_ROWS;
  #rows = 0;
  #rawBytes = 0;
  #decoded = 0;
  #cut: number;

  /** `cut` counts values that lost digits before they came here; the first batch tells of them. */
  constructor(outputs: readonly Output[], columns: readonly SourceColumn[], limits: FormatLimits, cut = 0) {
    this.#cut = cut;
    this.#outputs = outputs;
    this.#columns = columns;
    this.#limits = limits;
  }

  *of(batch: ReadBatch): Generator<SourceBatch> {
    const fitting = Math.floor((BATCH_BYTES * batch.rows) / Math.max(batch.bytes, 1));
    this.#window = Math.max(1, Math.min(this.#window * 2, BATCH_ROWS, fitting));
    const before = this.#rawBytes;
    for (let from = 0; from < batch.rows;) {
      const { data, rows } = this.#fitting(batch, from);
      from += rows;
      this.#rawBytes = before + Math.floor(Math.max(batch.rawBytes - before, 0) * (from / batch.rows));
      this.#check(Math.max(batch.rawBytes, 1));
      yield typedBatch(data, rows, { rowsBefore: this.#rows, rawBytes: this.#rawBytes, cut: this.#cut });
      this.#cut = 0;
      this.#rows += rows;
    }
  }

  #fitting(batch: ReadBatch, from: number): { data: Data[]; rows: number } {
    for (;;) {
      const rows = Math.min(this.#window, batch.rows - from);
      try {
        return { rows, data: this.#take(batch, from, rows) };
      } catch (error) {
        if (!(error instanceof TooLarge)) throw error;
        if (rows === 1) {
          const { recordBytes } = this.#limits;
          return beyond("recordBytes", `row ${this.#rows + 1} takes more than ${recordBytes} bytes`, this.#rows + 1, recordBytes);
        }
        this.#window = rows >> 1;
      }
    }
  }

  #take(batch: ReadBatch, from: number, count: number): Data[] {
    const budget = count === 1 ? Math.max(this.#limits.recordBytes, BATCH_BYTES * 2) : BATCH_BYTES * 2;
    let spent = 0;
    const data = this.#outputs.map((output, i) => {
      const array = batch.arrays[i];
      if (!array) throw new Error("a batch has fewer arrays than columns");
      const column = this.#columns[i];
      return take(
        array,
        output,
        { count, from, picks: null },
        {
          spend: (bytes) => {
            spent += bytes;
            if (spent > budget) throw new TooLarge();
          },
          own: column?.type?.kind === "nested",
          column: column?.name ?? "",
        },
      );
    });
    this.#decoded += spent;
    return data;
  }

  #check(rawBytes: number): void {
    const { decodedBytes, ratio } = this.#limits;
    if (this.#decoded > decodedBytes) beyond("decodedBytes", `more than ${decodedBytes} bytes after decoding`, this.#decoded, decodedBytes);
    if (this.#decoded >= RATIO_FROM_BYTES && this.#decoded > rawBytes * ratio) {
      beyond(
        "ratio",
        `${rawBytes} bytes became ${this.#decoded}, more than ${ratio} times as many`,
        Math.round(this.#decoded / rawBytes),
        ratio,
      );
    }
  }
}
