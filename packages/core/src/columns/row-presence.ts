import type { Scratch } from "./scratch.ts";

/** Which rows of a column have a value. The bytes are made with the first null. */
export class RowPresence {
  rows = 0;
  nulls = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #markedRows = 0;
  #markedNulls = 0;

  /** As in `ColumnChunk`. */
  get bytes(): Uint8Array | null {
    return this.nulls === 0 ? null : this.#bytes;
  }

  append(values: Scratch): void {
    const rows = this.rows + values.rows;
    if (values.nulls > 0) {
      this.#reach(rows);
      this.#bytes.set(values.present.subarray(0, values.rows), this.rows);
    } else if (this.nulls > 0) {
      this.#reach(rows);
      this.#bytes.fill(1, this.rows, rows);
    }
    this.rows = rows;
    this.nulls += values.nulls;
  }

  appendNulls(rows: number): void {
    this.#reach(this.rows + rows);
    this.#bytes.fill(0, this.rows, this.rows + rows);
    this.rows += rows;
    this.nulls += rows;
  }

  mark(): void {
    this.#markedRows = this.rows;
    this.#markedNulls = this.nulls;
  }

  rewind(): void {
    this.rows = this.#markedRows;
    this.nulls = this.#markedNulls;
  }

  reset(): void {
    this.rows = 0;
    this.nulls = 0;
  }

  #reach(rows: number): void {
    if (rows > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(rows, this.#bytes.length * 2, 8_192));
      bytes.set(this.#bytes.subarray(0, this.rows));
      this.#bytes = bytes;
    }
    if (this.nulls === 0) this.#bytes.fill(1, 0, this.rows);
  }
}
