import { TextBuffer } from "./text-buffer.ts";

/**
 * What a cell holds. `none`: a text that an option takes for null. `int` and `float` are numbers; `date`, `datetime` and `time` serial numbers under a format that shows
 * them so; `text` is an index into the block's texts, `shared` one into the workbook's; `error` has no value.
 */
export const CELL = { none: 0, int: 1, float: 2, bool: 3, date: 4, datetime: 5, time: 6, text: 7, shared: 8, error: 9 } as const;
export type CellKind = (typeof CELL)[keyof typeof CELL];

const MAX_ROWS = 8_192;
const MAX_CELLS = 1 << 18;
const MAX_TEXT = 4 * 2 ** 20;
const FIRST_CELLS = 2_048;
const FULL_ENOUGH = 0.9;

/**
 * Some thousands of rows of a sheet as its reader finds them: cells one after the other, row by row, without empty ones.
 * Cells of a row ascend by column. Rows without cells are left out.
 */
export class CellBlock {
  rows = 0;
  cells = 0;
  /** By row: the index behind its last cell, and its number in the sheet from 1. */
  rowEnds = new Uint32Array(256);
  rowNumbers = new Float64Array(256);
  /** By cell. */
  columns: Uint16Array;
  kinds: Uint8Array;
  values: Float64Array;
  /** UTF-8 of the block's own texts; text i is [textOffsets[i], textOffsets[i + 1]). */
  readonly text = new TextBuffer(4_096);
  textOffsets = new Uint32Array(256);
  texts = 0;
  #rowStart = 0;
  #unordered = false;

  /** `cells`: for how many to have room at once. */
  constructor(cells = FIRST_CELLS) {
    this.columns = new Uint16Array(cells);
    this.kinds = new Uint8Array(cells);
    this.values = new Float64Array(cells);
  }

  get full(): boolean {
    return this.rows >= MAX_ROWS || this.cells >= MAX_CELLS || this.text.length >= MAX_TEXT;
  }

  /** Bytes that it takes in memory. */
  get bytes(): number {
    return (
      this.rowEnds.byteLength +
      this.rowNumbers.byteLength +
      this.columns.byteLength +
      this.kinds.byteLength +
      this.values.byteLength +
      this.text.bytes.byteLength +
      this.textOffsets.byteLength
    );
  }

  add(column: number, kind: CellKind, value: number): void {
    const at = this.cells;
    if (at === this.kinds.length) this.#growCells();
    if (at > this.#rowStart && column <= (this.columns[at - 1] ?? 0)) this.#unordered = true;
    this.columns[at] = column;
    this.kinds[at] = kind;
    this.values[at] = value;
    this.cells = at + 1;
  }

  /** Leaves out what was written to `text` for a cell that was not added. */
  dropText(): void {
    this.text.length = this.textOffsets[this.texts] ?? 0;
  }

  /** Adds a cell whose text was written to `text`. An empty text is no value. */
  addText(column: number): void {
    if (this.text.length === (this.textOffsets[this.texts] ?? 0)) return;
    this.add(column, CELL.text, this.texts);
    this.texts++;
    if (this.texts === this.textOffsets.length) this.textOffsets = grown(this.textOffsets, new Uint32Array(this.texts * 2));
    this.textOffsets[this.texts] = this.text.length;
  }

  endRow(rowNumber: number): void {
    if (this.#unordered) this.#orderRow();
    if (this.cells === this.#rowStart) return;
    if (this.rows === this.rowEnds.length) {
      this.rowEnds = grown(this.rowEnds, new Uint32Array(this.rows * 2));
      this.rowNumbers = grown(this.rowNumbers, new Float64Array(this.rows * 2));
    }
    this.rowEnds[this.rows] = this.cells;
    this.rowNumbers[this.rows] = rowNumber;
    this.rows++;
    this.#rowStart = this.cells;
  }

  rowStart(row: number): number {
    return row === 0 ? 0 : (this.rowEnds[row - 1] ?? 0);
  }

  /** Gives back what its arrays do not use, where that is much. */
  trim(): this {
    this.text.bytes = this.text.bytes.slice(0, this.text.length);
    this.textOffsets = this.textOffsets.slice(0, this.texts + 1);
    this.rowEnds = this.rowEnds.slice(0, this.rows);
    this.rowNumbers = this.rowNumbers.slice(0, this.rows);
    if (this.cells > this.kinds.length * FULL_ENOUGH) return this;
    this.columns = this.columns.slice(0, this.cells);
    this.kinds = this.kinds.slice(0, this.cells);
    this.values = this.values.slice(0, this.cells);
    return this;
  }

  #growCells(): void {
    const size = this.kinds.length * 2;
    this.columns = grown(this.columns, new Uint16Array(size));
    this.kinds = grown(this.kinds, new Uint8Array(size));
    this.values = grown(this.values, new Float64Array(size));
  }

  /** A sheet may name a cell twice, or out of order: the last one counts. */
  #orderRow(): void {
    this.#unordered = false;
    const last = new Map<number, number>();
    for (let at = this.#rowStart; at < this.cells; at++) last.set(this.columns[at] ?? 0, at);
    const ordered = [...last]
      .sort(([a], [b]) => a - b)
      .map(([column, at]) => ({ column, kind: this.kinds[at] ?? 0, value: this.values[at] ?? 0 }));
    this.cells = this.#rowStart;
    for (const { column, kind, value } of ordered) {
      this.columns[this.cells] = column;
      this.kinds[this.cells] = kind;
      this.values[this.cells] = value;
      this.cells++;
    }
  }
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
