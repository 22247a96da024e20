import type { Misfit, Place } from "../format.ts";
import { RecordCutter, type Marks } from "./cut-record.ts";
import type { Tokeniser } from "./tokeniser.ts";

/** What the kernels for columns need of rows: any addresses of cells will do. Up to 8 bytes after a cell may be read. */
export type KernelCells = Pick<CellBlock, "bytes" | "view" | "starts" | "ends" | "width" | "rows" | "quote" | "nulls" | "doubled">;

/**
 * Rows of csv as addresses of their cells. Cell c of row r ends before `bytes[ends[r * width + c]]`; it begins at
 * `starts[r]`, or one byte after the end of the cell before it. A cell that begins with the quote is quoted, blanks may
 * follow its closing quote; one of no bytes is null. One block for a whole pass: it is filled again and again.
 */
export class CellBlock {
  readonly width: number;
  readonly quote: number;
  bytes: Uint8Array;
  view: DataView;
  ends: Int32Array;
  /** 1 for a cell in whose quotes there may be doubled ones, by its index in `ends`. */
  doubled: Uint8Array;
  readonly starts: Int32Array;
  rows = 0;
  /** Address after the last byte that may be looked at. */
  to = 0;
  misfits: Misfit[] = [];
  /** Rows that were cut or filled to the width. */
  filled = 0;
  /** Cells that hold one of the texts for null have a 1 here, by their index in `ends`; null where there are no such texts. */
  nulls: Uint8Array | null = null;
  /** Number of the first row; the rows before which numbers are missing, ascending. */
  firstRow = 1;
  #gaps: number[] = [];
  /** Offset in the decoded file of address 0, and the line on which an address lies. */
  #fileAt = 0;
  #line = 1;
  #lineAt = 0;
  readonly #cutter: RecordCutter;
  #tokeniser: Tokeniser;

  constructor(tokeniser: Tokeniser, width: number, maxRows: number, marks: Marks) {
    this.width = width;
    this.quote = marks.quote;
    this.starts = new Int32Array(maxRows + 1);
    this.#cutter = new RecordCutter(marks);
    this.#tokeniser = tokeniser;
    this.bytes = tokeniser.bytes;
    this.view = new DataView(this.bytes.buffer);
    this.ends = tokeniser.ends;
    this.doubled = tokeniser.doubled;
  }

  /** Empties the block: its next row is number `row`, and `line` is the line at address `at`, the file's byte `at + fileAt`. */
  begin(tokeniser: Tokeniser, row: number, line: number, at: number, fileAt: number): void {
    if (tokeniser !== this.#tokeniser) {
      this.#tokeniser = tokeniser;
      this.bytes = tokeniser.bytes;
      this.view = new DataView(this.bytes.buffer);
      this.ends = tokeniser.ends;
      this.doubled = tokeniser.doubled;
    }
    this.rows = 0;
    this.filled = 0;
    if (this.misfits.length > 0) this.misfits = [];
    if (this.#gaps.length > 0) this.#gaps = [];
    this.firstRow = row;
    this.#line = line;
    this.#lineAt = at;
    this.#fileAt = fileAt;
  }

  /** Takes note of a record that is no row. */
  addMisfit(at: number, end: number, reason: string): void {
    const row = this.firstRow + this.rows + this.#gaps.length;
    this.misfits.push({ ...this.#placeOf(row, at, end), reason });
    this.#gaps.push(this.rows);
  }

  rowNumber(row: number): number {
    const gaps = this.#gaps;
    let before = 0;
    while (before < gaps.length && (gaps[before] ?? 0) <= row) before++;
    return this.firstRow + row + before;
  }

  place(row: number): Place {
    const { bytes, ends, starts } = this;
    const at = starts[row] ?? 0;
    // The last cell's end is not the record's where cells were cut off or filled in.
    this.#cutter.cut(bytes, at, this.to, true, ends, 0, 0);
    return this.#placeOf(this.rowNumber(row), at, this.#cutter.end);
  }

  /** Leaves rows out, given in ascending order; their numbers stay theirs. */
  drop(rows: readonly number[]): void {
    const { width, ends, starts, nulls } = this;
    const gaps: number[] = [];
    const before = this.#gaps;
    let next = 0;
    let gap = 0;
    let kept = 0;
    for (let row = 0; row < this.rows; row++) {
      while (gap < before.length && before[gap] === row) {
        gaps.push(kept);
        gap++;
      }
      if (rows[next] === row) {
        next++;
        gaps.push(kept);
        continue;
      }
      if (kept !== row) {
        starts[kept] = starts[row] ?? 0;
        ends.copyWithin(kept * width, row * width, (row + 1) * width);
        this.doubled.copyWithin(kept * width, row * width, (row + 1) * width);
        nulls?.copyWithin(kept * width, row * width, (row + 1) * width);
      }
      kept++;
    }
    while (gap++ < before.length) gaps.push(kept);
    this.#gaps = gaps;
    this.rows = kept;
  }

  /** The line on which the byte at an address lies. */
  lineOf(at: number): number {
    if (at < this.#lineAt) return this.#line - this.#tokeniser.countLines(at, this.#lineAt);
    this.#line += this.#tokeniser.countLines(this.#lineAt, at);
    this.#lineAt = at;
    return this.#line;
  }

  #placeOf(row: number, at: number, end: number): Place {
    return { row, line: this.lineOf(at), byteOffset: this.#fileAt + at, raw: textOf(this.bytes, at, end) };
  }
}

/** Bytes [from, to) as text. */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("utf8");
}
