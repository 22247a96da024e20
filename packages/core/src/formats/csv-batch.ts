import type { CsvCutter } from "./csv-cutter.ts";
import type { Misfit, Place, SourceBatch } from "./format.ts";
import { BROKEN_UTF8, brokenAt, bytesOf, type CharBytes, withBrokenShown } from "./text-encoding.ts";

/** Where a text stands in the decoded file. */
export interface TextAt {
  readonly text: string;
  readonly byteOffset: number;
  readonly per: CharBytes;
}

/** Which cells of a csv are null. */
export interface CellNulls {
  /** Texts that mean null. */
  readonly texts: ReadonlySet<string> | null;
  /** false: an empty cell is "" and the texts for null are left to the column's type. */
  readonly strings: boolean;
  /** What of this holds for quoted cells: all of it, the texts alone (undefined), nothing. */
  readonly quoted: boolean | undefined;
}

const MAX_ROWS = 8_192;
const MAX_CELLS = 1 << 19;

/** Rows of one stretch of text, column by column. */
export class CsvBatch {
  readonly columns: (string | null)[][];
  readonly misfits: Misfit[] = [];
  readonly rowNumbers: number[] = [];
  filled = 0;
  /** Rows that an option leaves out. */
  skipped = 0;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #lines: number[] = [];
  readonly #at: TextAt;
  readonly #nulls: CellNulls;
  readonly #usual: boolean;
  // Misfits come in order, so the bytes before one are counted from the last one on.
  #measuredTo = 0;
  #measured = 0;

  constructor(width: number, at: TextAt, nulls: CellNulls) {
    this.columns = Array.from({ length: width }, () => []);
    this.#at = at;
    this.#nulls = nulls;
    this.#usual = nulls.strings && nulls.quoted === undefined;
  }

  get full(): boolean {
    return this.rowNumbers.length + this.misfits.length >= MAX_ROWS || this.rowNumbers.length * this.columns.length >= MAX_CELLS;
  }

  get empty(): boolean {
    return this.rowNumbers.length === 0 && this.misfits.length === 0 && this.skipped === 0;
  }

  /** Takes the reader's record as a row; cells beyond the width are dropped, missing ones null. */
  add(reader: CsvCutter, row: number): void {
    const { cells, count } = reader;
    const { columns } = this;
    const texts = this.#nulls.texts;
    for (let i = 0; i < columns.length; i++) {
      let cell = i < count ? (cells[i] ?? null) : null;
      if (!this.#usual) cell = i < count ? this.#unusual(cell, reader.quoted?.[i] ?? false) : null;
      else if (texts !== null && cell !== null && texts.has(cell)) cell = null;
      columns[i]?.push(cell);
    }
    if (count !== columns.length) this.filled++;
    this.#note(reader, row);
  }

  /** A row of nulls, for a blank line that is one. */
  addBlank(reader: CsvCutter, row: number): void {
    for (const column of this.columns) column.push(null);
    this.#note(reader, row);
  }

  #unusual(cell: string | null, isQuoted: boolean): string | null {
    const { texts, strings, quoted } = this.#nulls;
    if (isQuoted && quoted === false) return cell;
    const isNull = cell === null || (cell === "" && quoted === true) || (texts !== null && texts.has(cell));
    return strings ? (isNull ? null : cell) : (cell ?? "");
  }

  #note(reader: CsvCutter, row: number): void {
    this.rowNumbers.push(row);
    this.#starts.push(reader.start);
    this.#ends.push(reader.end);
    this.#lines.push(reader.startLine);
  }

  /** The reason why the record cannot be a row when one of its bytes is broken, else null. */
  brokenByte(reader: CsvCutter): string | null {
    const { text, per, byteOffset } = this.#at;
    if (per !== BROKEN_UTF8) return null;
    const at = brokenAt(text.slice(reader.start, reader.end));
    if (at < 0) return null;
    const value = (text.charCodeAt(reader.start + at) - 0xdc00).toString(16);
    return `byte ${byteOffset + this.#bytesBefore(reader.start + at)} (0x${value}) is no UTF-8`;
  }

  addMisfit(reader: CsvCutter, row: number, reason: string): void {
    this.misfits.push({ ...this.#placeOf(row, reader.startLine, reader.start, reader.end), reason });
  }

  finish(rawBytes: number): SourceBatch {
    return {
      rows: this.rowNumbers.length,
      columns: this.columns.map((text) => ({ text })),
      misfits: this.misfits,
      filled: this.filled,
      cut: 0,
      skipped: this.skipped,
      rowNumbers: this.rowNumbers,
      place: (i) => this.#placeOf(this.rowNumbers[i] ?? 0, this.#lines[i] ?? 0, this.#starts[i] ?? 0, this.#ends[i] ?? 0),
      rawBytes,
    };
  }

  #placeOf(row: number, line: number, start: number, end: number): Place {
    const { text } = this.#at;
    const byteOffset = this.#at.per === "unknown" ? null : this.#at.byteOffset + this.#bytesBefore(start);
    return { row, line, byteOffset, raw: this.#at.per === BROKEN_UTF8 ? withBrokenShown(text.slice(start, end)) : text.slice(start, end) };
  }

  #bytesBefore(at: number): number {
    const { per, text } = this.#at;
    if (per === 1 || per === 2) return at * per;
    if (at < this.#measuredTo) {
      this.#measuredTo = 0;
      this.#measured = 0;
    }
    this.#measured += bytesOf(text.slice(this.#measuredTo, at), per) ?? 0;
    this.#measuredTo = at;
    return this.#measured;
  }
}
