import type { Misfit, Place, SourceBatch } from "../format.ts";
import type { BatchBuilder } from "./batch-builder.ts";
import type { CellBlock } from "./cell-block.ts";
import { cellText, type StringTable } from "./cell-text.ts";

/** Rows of one block on their way into a batch. */
export class SheetBatch {
  readonly #block: CellBlock;
  readonly #strings: StringTable;
  readonly #cells: BatchBuilder;
  readonly #rawBytes: number;
  readonly #rows: number[] = [];
  readonly #records: number[] = [];
  readonly #misfits: Misfit[] = [];
  #filled = 0;
  #skipped = 0;

  constructor(block: CellBlock, strings: StringTable, cells: BatchBuilder, rawBytes: number) {
    this.#block = block;
    this.#strings = strings;
    this.#cells = cells;
    this.#rawBytes = rawBytes;
  }

  get rows(): number {
    return this.#rows.length;
  }

  get textBytes(): number {
    return this.#cells.textBytes;
  }

  get empty(): boolean {
    return this.#rows.length === 0 && this.#misfits.length === 0 && this.#skipped === 0;
  }

  add(row: number, record: number, cut: boolean): void {
    this.#cells.add(this.#block, row);
    this.#rows.push(row);
    this.#records.push(record);
    if (cut) this.#filled++;
  }

  addMisfit(row: number, record: number, reason: string): void {
    this.#misfits.push({ ...this.#place(row, record), reason });
  }

  skip(): void {
    this.#skipped++;
  }

  finish(): SourceBatch {
    return {
      rows: this.#rows.length,
      columns: this.#cells.finish().map((data) => ({ data })),
      misfits: this.#misfits,
      filled: this.#filled,
      cut: this.#cells.errors,
      skipped: this.#skipped,
      rowNumbers: this.#records,
      place: (i) => this.#place(this.#rows[i] ?? 0, this.#records[i] ?? 0),
      rawBytes: this.#rawBytes,
    };
  }

  /** The line of a row is its number in the sheet; its record, its cells as text between tabs. */
  #place(row: number, record: number): Place {
    const block = this.#block;
    const texts: string[] = [];
    for (let at = block.rowStart(row); at < (block.rowEnds[row] ?? 0); at++) {
      const column = block.columns[at] ?? 0;
      while (texts.length < column) texts.push("");
      texts.push(cellText(block, at, this.#strings) ?? "");
    }
    return { row: record, byteOffset: null, line: block.rowNumbers[row] ?? null, raw: texts.join("\t") };
  }
}
