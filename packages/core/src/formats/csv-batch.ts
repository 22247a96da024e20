import type { RecordReader } from "./csv-records.ts";
import type { Misfit, Place, SourceBatch } from "./format.ts";

/** Where a text stands in the decoded file. */
export interface TextAt {
  readonly text: string;
  readonly byteOffset: number;
  /** One byte a character. */
  readonly ascii: boolean;
}

const MAX_ROWS = 8_192;
const MAX_CELLS = 1 << 19;

/** Rows of one stretch of text, column by column. */
export class CsvBatch {
  readonly columns: (string | null)[][];
  readonly misfits: Misfit[] = [];
  readonly rowNumbers: number[] = [];
  filled = 0;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #lines: number[] = [];
  readonly #at: TextAt;
  readonly #nulls: ReadonlySet<string> | null;
  // Misfits come in order, so the bytes before one are counted from the last one on.
  #measuredTo = 0;
  #measured = 0;

  constructor(width: number, at: TextAt, nulls: ReadonlySet<string> | null) {
    this.columns = Array.from({ length: width }, () => []);
    this.#at = at;
    this.#nulls = nulls;
  }

  get full(): boolean {
    return this.rowNumbers.length + this.misfits.length >= MAX_ROWS || this.rowNumbers.length * this.columns.length >= MAX_CELLS;
  }

  get empty(): boolean {
    return this.rowNumbers.length === 0 && this.misfits.length === 0;
  }

  /** Takes the reader's record as a row; cells beyond the width are dropped, missing ones null. */
  add(reader: RecordReader, row: number): void {
    const { cells, count } = reader;
    const nulls = this.#nulls;
    const { columns } = this;
    for (let i = 0; i < columns.length; i++) {
      let cell = i < count ? (cells[i] ?? null) : null;
      if (nulls !== null && cell !== null && nulls.has(cell)) cell = null;
      columns[i]?.push(cell);
    }
    if (count !== columns.length) this.filled++;
    this.rowNumbers.push(row);
    this.#starts.push(reader.start);
    this.#ends.push(reader.end);
    this.#lines.push(reader.startLine);
  }

  addMisfit(reader: RecordReader, row: number, reason: string): void {
    this.misfits.push({ ...this.#placeOf(row, reader.startLine, reader.start, reader.end), reason });
  }

  finish(rawBytes: number): SourceBatch {
    return {
      rows: this.rowNumbers.length,
      columns: this.columns.map((text) => ({ text })),
      misfits: this.misfits,
      filled: this.filled,
      cut: 0,
      rowNumbers: this.rowNumbers,
      place: (i) => this.#placeOf(this.rowNumbers[i] ?? 0, this.#lines[i] ?? 0, this.#starts[i] ?? 0, this.#ends[i] ?? 0),
      rawBytes,
    };
  }

  #placeOf(row: number, line: number, start: number, end: number): Place {
    const { text } = this.#at;
    return { row, line, byteOffset: this.#at.byteOffset + this.#bytesBefore(start), raw: text.slice(start, end) };
  }

  #bytesBefore(at: number): number {
    if (this.#at.ascii) return at;
    if (at < this.#measuredTo) {
      this.#measuredTo = 0;
      this.#measured = 0;
    }
    this.#measured += Buffer.byteLength(this.#at.text.slice(this.#measuredTo, at));
    this.#measuredTo = at;
    return this.#measured;
  }
}
