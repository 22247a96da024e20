import { Fault } from "../../domain/fault.ts";
import { Unforeseen } from "../direct.ts";
import { textOf } from "./text.ts";
import {
  afterColon,
  broken,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  KIND,
  PLAIN,
  scan,
  scanNumber,
  scanString,
  scanValue,
  skipSpace,
} from "./scan-value.ts";

/** Values of one place in a block: value i is bytes[starts[c] .. ends[c]) of kind kinds[c], c = first + i * step. A text's quotes are left out. */
export interface Cells {
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly kinds: Uint8Array;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** Thrown where the rows so far must be taken before a row with more columns can be: together they would take too much memory. */
export const FULL: Error = new Error("the rows so far are to be taken first");

const MAX_ROWS = 8_192;
const CELLS = 1 << 18;
const QUOTE = 34;
const COMMA = 44;

/**
 * The rows of a block as ranges of its bytes, row by row, a cell for each key. A row's keys are mostly those of the row
 * before, in the same order: each key is compared with the one that followed its forerunner last time, byte by byte, and
 * looked up only where it is another.
 */
export class RowCells {
  rows = 0;
  /** How many values the last array had. */
  width = 0;
  /** The column of the rows' labels; null where they have none. */
  label: number | null = null;
  /** Every label so far was the row's position, from 0. */
  labelsArePositions = true;
  #labels = 0;
  /** Keys that a row has more than once: the last counts, the others are left out. */
  duplicates = 0;
  /** Halves of surrogate pairs that stand alone in the rows' texts. */
  replaced = 0;
  /** Places beneath the columns, which take cells of their own for every row. */
  beneath = 0;
  readonly names: string[] = [];
  /** By row: where it begins and ends. */
  readonly from = new Int32Array(MAX_ROWS);
  readonly to = new Int32Array(MAX_ROWS);
  #starts = new Int32Array(CELLS);
  #ends = new Int32Array(CELLS);
  #kinds = new Uint8Array(CELLS);
  #stride = 16;
  #fixed = false;
  #sealed = false;
  readonly #maxColumns: number;
  readonly #byName = new Map<string, number>();
  /** By raw bytes (as Latin-1), escapes and all. */
  readonly #byRaw = new Map<string, number>();
  /** Column c's key as it was first written, with its quotes and a colon, in words from `keyAt`; no length: not to be matched. */
  #keyWords: Int32Array = new Int32Array(256);
  #keyAt: Int32Array = new Int32Array(64);
  #keyLengths: Int32Array = new Int32Array(64);
  #read = 0;
  #viewed: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#viewed.buffer);
  /** By column + 1 (0: the row's start): the column that came next last time. */
  #next: Int32Array = new Int32Array(64);

  constructor(maxColumns: number) {
    this.#maxColumns = maxColumns;
  }

  get full(): boolean {
    return this.rows >= MAX_ROWS || (this.rows + 1) * (this.#stride + this.beneath) > this.#kinds.length;
  }

  column(bytes: Uint8Array, index: number): Cells {
    return { bytes, starts: this.#starts, ends: this.#ends, kinds: this.#kinds, first: index, step: this.#stride, count: this.rows };
  }

  clear(): void {
    this.#kinds.fill(0, 0, this.rows * this.#stride);
    this.rows = 0;
    this.duplicates = 0;
    this.replaced = 0;
  }

  /** Takes the object at `open` as a row. Its end, or MORE, BROKEN, DEEP, and then no row is added. */
  addObject(bytes: Uint8Array, open: number, to: number): number {
    const view = this.#viewOf(bytes);
    scan.lone = 0;
    let starts = this.#starts;
    let ends = this.#ends;
    let kinds = this.#kinds;
    let base = this.rows * this.#stride;
    let duplicates = 0;
    let before = 0;
    let i = open + 1;
    if ((bytes[i] ?? 0) <= 32) i = skipSpace(bytes, i, to);
    if (bytes[i] === CLOSE_OBJECT && i < to) return this.#commit(open, i + 1, 0);
    for (;;) {
      let column = this.#next[before] ?? 0;
      let value = this.#matchKey(view, i, column);
      if (value === 0) {
        value = this.#readKey(bytes, i, to);
        if (value < 0) return this.#undo(value);
        column = this.#read;
        this.#next[before] = column;
        starts = this.#starts;
        ends = this.#ends;
        kinds = this.#kinds;
        base = this.rows * this.#stride;
      }
      before = column + 1;
      let c = bytes[value] ?? 0;
      if (c <= 32) {
        value = skipSpace(bytes, value, to);
        c = bytes[value] ?? 0;
      }
      const cell = base + column;
      if (kinds[cell] !== 0) duplicates++;
      let next = 0;
      if (c === QUOTE) {
        let j = value + 1;
        while (PLAIN[bytes[j] ?? 0] === 1) j++;
        starts[cell] = value + 1;
        if (bytes[j] === QUOTE) {
          kinds[cell] = KIND.plain;
          next = j + 1;
        } else {
          next = scanString(bytes, value, to);
          if (next < 0) return this.#undo(next);
          kinds[cell] = scan.kind;
        }
        ends[cell] = next - 1;
      } else {
        next = quickNumber(bytes, value);
        if (next > 0) kinds[cell] = KIND.int;
        else if (next < 0) {
          next = ~next;
          kinds[cell] = KIND.fraction;
        } else {
          next = scanValue(bytes, value, to);
          if (next < 0) return this.#undo(next);
          kinds[cell] = scan.kind;
        }
        starts[cell] = value;
        ends[cell] = next;
      }
      c = bytes[next] ?? 0;
      if (c <= 32) {
        next = skipSpace(bytes, next, to);
        c = bytes[next] ?? 0;
      }
      if (next >= to || (c !== COMMA && c !== CLOSE_OBJECT)) return this.#undo(broken(next, to, "a comma or } must follow"));
      if (c === CLOSE_OBJECT) return this.#commit(open, next + 1, duplicates);
      i = next + 1;
      if ((bytes[i] ?? 0) <= 32) i = skipSpace(bytes, i, to);
    }
  }

  /** Takes the array at `open` as a row: its values are the columns in order. Results as `addObject`. */
  addArray(bytes: Uint8Array, open: number, to: number): number {
    let i = skipSpace(bytes, open + 1, to);
    this.width = 0;
    scan.lone = 0;
    if (bytes[i] === CLOSE_ARRAY && i < to) return this.#commit(open, i + 1, 0);
    for (let column = 0; ; column++) {
      const end = scanValue(bytes, i, to);
      if (end < 0) return this.#undo(end);
      const { kind } = scan;
      this.width = column + 1;
      if (column === this.names.length && !this.#fixed) this.#addColumn("", null, false);
      const text = kind === KIND.plain || kind === KIND.escaped ? 1 : 0;
      const cell = this.rows * this.#stride + column;
      if (column < this.names.length) {
        this.#kinds[cell] = kind;
        this.#starts[cell] = i + text;
        this.#ends[cell] = end - text;
      }
      i = skipSpace(bytes, end, to);
      const c = i < to ? bytes[i] : 0;
      if (c === CLOSE_ARRAY) return this.#commit(open, i + 1, 0);
      if (c !== COMMA) return this.#undo(broken(i, to, "a comma or ] must follow"));
      i = skipSpace(bytes, i + 1, to);
    }
  }

  /** Forgets the row that was begun. */
  abandon(): void {
    this.#undo(0);
  }

  /** Takes back the last row. */
  dropLast(): void {
    this.rows--;
    this.#undo(0);
  }

  /** Fixes the columns: values of an array beyond them are left out. */
  fix(names: readonly string[]): void {
    for (const name of names) this.#addColumn(name, null, false);
    this.#fixed = true;
  }

  /** From now on a key that no row had before is `Unforeseen`. */
  seal(): void {
    this.#sealed = true;
  }

  /** Rows have labels: their column comes first. */
  expectLabels(): void {
    this.label ??= this.#addColumn("index", null, false);
  }

  /** Gives the last row the label whose quote opens at `open`: a number where it is written like one. */
  labelLast(bytes: Uint8Array, open: number): void {
    const end = scanString(bytes, open, bytes.length - 1) - 1;
    const { kind } = scan;
    const numeric = kind === KIND.plain && scanNumber(bytes, open + 1, end) === end;
    const cell = (this.rows - 1) * this.#stride + (this.label ?? 0);
    this.#kinds[cell] = numeric ? scan.kind : kind;
    this.#starts[cell] = open + 1;
    this.#ends[cell] = end;
    if (this.labelsArePositions) this.labelsArePositions = numeric && textOf(bytes, open + 1, end, false) === String(this.#labels);
    this.#labels++;
  }

  #viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }

  /**
   * Behind the colon of the key at `at`, where it is written as this column's key was; else 0. Four bytes at a time, the last
   * four again: what matches has no NUL and no line feed, so that it ends before the text does.
   */
  #matchKey(view: DataView, at: number, column: number): number {
    const length = this.#keyLengths[column] ?? 0;
    if (length === 0) return 0;
    const words = this.#keyWords;
    const last = at + length - 4;
    let p = this.#keyAt[column] ?? 0;
    for (let k = at; k < last; k += 4) if (view.getInt32(k, true) !== words[p++]) return 0;
    return view.getInt32(last, true) === words[p] ? at + length : 0;
  }

  /** Behind the colon of a key that is not the expected one; its column is in `#read`. Results as a scan's. */
  #readKey(bytes: Uint8Array, at: number, to: number): number {
    if (bytes[at] !== QUOTE || at >= to) return broken(at, to, "a key must begin here");
    const end = scanString(bytes, at, to);
    if (end < 0) return end;
    const escaped = scan.kind === KIND.escaped;
    const value = afterColon(bytes, end, to);
    if (value >= 0) this.#read = this.#columnOf(bytes, at, end, escaped);
    return value;
  }

  #columnOf(bytes: Uint8Array, open: number, end: number, escaped: boolean): number {
    const raw = Buffer.from(bytes.buffer, bytes.byteOffset + open + 1, end - open - 2).toString("latin1");
    const known = this.#byRaw.get(raw);
    if (known !== undefined) return known;
    const name = textOf(bytes, open + 1, end - 1, escaped);
    const column = this.#byName.get(name) ?? this.#addColumn(name, bytes.subarray(open, end));
    // A key has endless ways to be written with escapes; one written plainly has one.
    if (!escaped) this.#byRaw.set(raw, column);
    return column;
  }

  #addColumn(name: string, key: Uint8Array | null, listed = true): number {
    if (this.#sealed) throw new Unforeseen();
    if (this.rows > 0 && this.names.length === this.#stride && (this.rows + 1) * this.#stride * 2 > CELLS) throw FULL;
    const column = this.names.length;
    if (column >= this.#maxColumns) {
      throw new Fault("limit_exceeded", `the rows have more than ${this.#maxColumns} different keys (limit columns)`, {
        field: "columns",
        limit: this.#maxColumns,
      });
    }
    this.names.push(name);
    if (listed) this.#byName.set(name, column);
    this.#addPattern(column, key);
    if (this.names.length > this.#stride) this.#widen();
    return column;
  }

  /** Keys are kept as words: those from the start, and the one at the end. */
  #addPattern(column: number, key: Uint8Array | null): void {
    if (column + 2 > this.#keyAt.length) {
      this.#keyAt = grown(this.#keyAt, column + 2);
      this.#keyLengths = grown(this.#keyLengths, column + 2);
      this.#next = grown(this.#next, column + 2);
    }
    const at = this.#keyAt[column] ?? 0;
    // "": is shorter than a word.
    const length = key === null || key.length < 3 ? 0 : key.length + 1;
    const words = Math.ceil(length / 4);
    if (at + words > this.#keyWords.length) this.#keyWords = grown(this.#keyWords, at + words);
    if (key !== null && length > 0) {
      const written = Buffer.alloc(length, 58);
      written.set(key);
      for (let w = 0; w < words; w++) this.#keyWords[at + w] = written.readInt32LE(Math.min(w * 4, length - 4));
    }
    this.#keyLengths[column] = length;
    this.#keyAt[column + 1] = at + words;
  }

  /** Twice as many cells a row; the rows so far, and the one under way, move apart. */
  #widen(): void {
    const old = this.#stride;
    this.#stride *= 2;
    const size = Math.max(this.#kinds.length, (this.rows + 1) * this.#stride);
    const [starts, ends, kinds] = [this.#starts, this.#ends, this.#kinds];
    this.#starts = new Int32Array(size);
    this.#ends = new Int32Array(size);
    this.#kinds = new Uint8Array(size);
    for (let row = 0; row <= this.rows; row++) {
      this.#starts.set(starts.subarray(row * old, (row + 1) * old), row * this.#stride);
      this.#ends.set(ends.subarray(row * old, (row + 1) * old), row * this.#stride);
      this.#kinds.set(kinds.subarray(row * old, (row + 1) * old), row * this.#stride);
    }
  }

  #commit(from: number, to: number, duplicates: number): number {
    this.from[this.rows] = from;
    this.to[this.rows] = to;
    this.duplicates += duplicates;
    this.replaced += scan.lone;
    this.rows++;
    return to;
  }

  #undo(result: number): number {
    const base = this.rows * this.#stride;
    this.#kinds.fill(0, base, base + this.#stride);
    return result;
  }
}

function grown(old: Int32Array, length: number): Int32Array {
  const next = new Int32Array(Math.max(length, old.length * 2));
  next.set(old);
  return next;
}

/** The end of a plain number that a comma or } follows at once, ~end where it has a point, 0 for anything else. */
function quickNumber(bytes: Uint8Array, at: number): number {
  let i = at;
  let c = bytes[i] ?? 0;
  if (c === 45) c = bytes[++i] ?? 0;
  if (c === 48) c = bytes[++i] ?? 0;
  else if (c >= 49 && c <= 57) {
    do c = bytes[++i] ?? 0;
    while (c >= 48 && c <= 57);
  } else return 0;
  if (c === COMMA || c === CLOSE_OBJECT) return i;
  if (c !== 46) return 0;
  const point = i;
  do c = bytes[++i] ?? 0;
  while (c >= 48 && c <= 57);
  return i > point + 1 && (c === COMMA || c === CLOSE_OBJECT) ? ~i : 0;
}
