import { allNull, type ColumnData } from "../../schema/column-data.ts";
import { CELL, type CellBlock } from "./cell-block.ts";
import type { SheetType } from "./column-types.ts";
import { type StringTable, valueText } from "./cell-text.ts";
import { serialToMs, timeMs } from "./serial-date.ts";
import { TextBuffer } from "./text-buffer.ts";

const DAY_MS = 86_400_000;
const TWO_32 = 2 ** 32;
/** Copying byte by byte is faster than a call up to about this many. */
const SHORT = 40;

/** Cells of some rows, column by column, in the canonical form of each column's type. */
export class BatchBuilder {
  rows = 0;
  /** Cells that hold an error: they have no value. */
  errors = 0;
  textBytes = 0;
  readonly #columns: readonly ColumnBuffer[];
  /** By column of the sheet, the place in `#columns`; -1 for one that is left out. */
  readonly #slots: Int32Array;
  readonly #strings: StringTable;

  constructor(types: readonly SheetType[], slots: Int32Array, strings: StringTable, capacity: number) {
    this.#columns = types.map((type) => new ColumnBuffer(type, capacity));
    this.#slots = slots;
    this.#strings = strings;
  }

  /** Adds a row's cells; those beyond the columns are left out. */
  add(block: CellBlock, row: number): void {
    const to = block.rowEnds[row] ?? 0;
    for (let at = block.rowStart(row); at < to; at++) {
      const column = this.#columns[this.#slots[block.columns[at] ?? 0] ?? -1];
      if (column === undefined) continue;
      const kind = block.kinds[at] ?? 0;
      if (kind === CELL.none) continue;
      if (kind === CELL.error) this.errors++;
      else if (column.kind === "text") this.#addText(column, block, kind, block.values[at] ?? 0);
      else column.setValue(this.rows, block.values[at] ?? 0);
    }
    this.rows++;
  }

  finish(): ColumnData[] {
    return this.#columns.map((column) => column.finish(this.rows));
  }

  #addText(column: ColumnBuffer, block: CellBlock, kind: number, value: number): void {
    const { text } = column;
    const before = text.length;
    if (kind === CELL.shared) copy(this.#strings.bytes, this.#strings.offsets[value] ?? 0, this.#strings.offsets[value + 1] ?? 0, text);
    else if (kind === CELL.text) copy(block.text.bytes, block.textOffsets[value] ?? 0, block.textOffsets[value + 1] ?? 0, text);
    else {
      const bytes = Buffer.from(valueText(kind, value));
      copy(bytes, 0, bytes.length, text);
    }
    column.setText(this.rows, before);
    this.textBytes += text.length - before;
  }
}

function copy(bytes: Uint8Array, from: number, to: number, into: TextBuffer): void {
  into.reserve(to - from);
  const out = into.bytes;
  let o = into.length;
  if (to - from > SHORT) {
    out.set(bytes.subarray(from, to), o);
    o += to - from;
  } else for (let i = from; i < to; i++) out[o++] = bytes[i] ?? 0;
  into.length = o;
}

const NO_BYTES = new Uint8Array(0);
const NO_INTS = new Int32Array(0);
const NO_DOUBLES = new Float64Array(0);

/** One column of a batch. It takes memory from its first value on: of many columns, most rows leave most empty. */
class ColumnBuffer {
  readonly kind: SheetType["kind"];
  readonly text = new TextBuffer(0);
  readonly #capacity: number;
  #valid: Uint8Array = NO_BYTES;
  #offsets: Int32Array = NO_INTS;
  /** 64-bit values as halves, low first: a BigInt for every value would cost ten times as much. */
  #halves: Int32Array = NO_INTS;
  #doubles: Float64Array = NO_DOUBLES;
  #days: Int32Array = NO_INTS;
  #bits: Uint8Array = NO_BYTES;
  #count = 0;
  /** Rows whose offset is set. */
  #textRows = 0;

  constructor(type: SheetType, capacity: number) {
    this.kind = type.kind;
    this.#capacity = capacity;
  }

  setValue(row: number, value: number): void {
    this.#setValid(row);
    switch (this.kind) {
      case "double":
        this.#doubles[row] = value;
        break;
      case "int64":
        this.#setWord(row, value);
        break;
      case "date":
        this.#days[row] = Math.floor(serialToMs(value) / DAY_MS);
        break;
      case "timestamp":
        this.#setWord(row, serialToMs(value) * 1_000);
        break;
      case "time":
        this.#setWord(row, timeMs(value) * 1_000);
        break;
      case "bool":
        if (value === 1) this.#bits[row >> 3] = (this.#bits[row >> 3] ?? 0) | (1 << (row & 7));
        break;
      case "text":
      case "unknown":
        throw new Error(`a column of ${this.kind} holds no numbers`);
    }
  }

  /** The row's text is what was written behind `before`. */
  setText(row: number, before: number): void {
    this.#setValid(row);
    while (this.#textRows <= row) this.#offsets[this.#textRows++] = before;
  }

  finish(rows: number): ColumnData {
    if (this.#count === 0) return allNull(rows);
    const nulls = rows - this.#count;
    const facts = { rows, nulls, validity: nulls === 0 ? null : this.#valid.subarray(0, (rows + 7) >> 3) };
    switch (this.kind) {
      case "text": {
        while (this.#textRows <= rows) this.#offsets[this.#textRows++] = this.text.length;
        return {
          ...facts,
          form: "bytes",
          offsets: this.#offsets.subarray(0, rows + 1),
          values: this.text.bytes.subarray(0, this.text.length),
        };
      }
      case "double":
        return { ...facts, form: "doubles", values: this.#doubles.subarray(0, rows) };
      case "date":
        return { ...facts, form: "days", values: this.#days.subarray(0, rows) };
      case "bool":
        return { ...facts, form: "bits", values: this.#bits };
      case "unknown":
        return allNull(rows);
      case "int64":
      case "timestamp":
      case "time":
        return { ...facts, form: "words", values: new BigInt64Array(this.#halves.buffer, 0, rows) };
    }
  }

  #setWord(row: number, value: number): void {
    const high = Math.floor(value / TWO_32);
    this.#halves[row * 2] = value - high * TWO_32;
    this.#halves[row * 2 + 1] = high;
  }

  #setValid(row: number): void {
    if (this.#count === 0) this.#begin();
    this.#valid[row >> 3] = (this.#valid[row >> 3] ?? 0) | (1 << (row & 7));
    this.#count++;
  }

  #begin(): void {
    const rows = this.#capacity;
    this.#valid = new Uint8Array((rows + 7) >> 3);
    if (this.kind === "text") this.#offsets = new Int32Array(rows + 1);
    else if (this.kind === "double") this.#doubles = new Float64Array(rows);
    else if (this.kind === "date") this.#days = new Int32Array(rows);
    else if (this.kind === "bool") this.#bits = new Uint8Array((rows + 7) >> 3);
    else this.#halves = new Int32Array(rows * 2);
  }
}
