import { Fault } from "../../domain/fault.ts";
import { CELL, CellBlock } from "../sheet/cell-block.ts";
import type { StringTable } from "../sheet/cell-text.ts";
import { addNumber } from "../sheet/number-cell.ts";
import { isoToSerial } from "../sheet/serial-date.ts";
import { SHOWN } from "../sheet/number-format.ts";
import { indexAt, numberAt } from "./number-bytes.ts";
import { writeItem } from "./rich-text.ts";
import { isMark, markEnd, readTag, tag, tagIs, textEnd, writeText } from "./xml-bytes.ts";
import { doctypeRefused } from "./xml-tags.ts";

const LT = 60;
const GT = 62;
const SLASH = 47;
const EQUALS = 61;

/** Cell types (ECMA-376 part 1, 18.18.11). */
const TYPE = { number: 0, shared: 1, text: 2, inline: 3, bool: 4, error: 5, date: 6 } as const;
const NONE = -1;

export interface SheetFacts {
  readonly part: string;
  readonly strings: StringTable;
  /** What numbers are, by cell style. */
  readonly styles: Uint8Array;
  readonly date1904: boolean;
  /** Cells may stand in this many columns. */
  readonly maxColumns: number;
  /** Most bytes of a row's own texts. */
  readonly recordBytes: number;
}

/**
 * Finds the cells of a worksheet (ECMA-376 part 1, 18.3.1.80) in its XML, a window of bytes at a time. No string is made
 * for a number, a boolean or a shared text. Cells and rows without a reference stand behind the one before them.
 */
export class SheetScanner {
  block = new CellBlock();
  /** True behind the last row. */
  done = false;
  readonly #facts: SheetFacts;
  #inData = false;
  #isSheet = false;
  #inRow = false;
  #row = 0;
  #column = NONE;
  #rowText = 0;
  // The attributes of the cell at hand.
  #style = 0;
  #type: number = TYPE.number;

  constructor(facts: SheetFacts) {
    this.#facts = facts;
  }

  /** True when the block is full and no row of it is open. */
  get ready(): boolean {
    return !this.#inRow && this.block.full;
  }

  /** The rows so far; what follows goes to a new block. */
  take(): CellBlock {
    const { block } = this;
    // The next block has about as many cells.
    this.block = new CellBlock(Math.ceil(block.cells * 1.02) + 64);
    this.#rowText = 0;
    return block;
  }

  /** Takes rows until the block is full. Returns where what was not yet used begins. */
  scan(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; ;) {
      while (bytes[i] !== LT) i++;
      if (i >= to) return to;
      const next = bytes[i + 1] ?? 0;
      let end = 0;
      if (next === 99 && isNameEnd(bytes[i + 2] ?? 0) && this.#inRow) end = this.#cell(bytes, i + 2, to);
      else if (next === 33 || next === 63) end = this.#mark(bytes, i, to);
      else end = this.#tag(bytes, i, to);
      if (end < 0) return i;
      i = end;
      if (this.done || this.ready) return i;
    }
  }

  /** Throws `unreadable` where the sheet is not whole. */
  finish(): void {
    if (this.done) return;
    const what = this.#isSheet ? "ends before its last row" : "is no worksheet";
    throw this.#fault(what);
  }

  #mark(bytes: Uint8Array, at: number, to: number): number {
    const end = markEnd(bytes, at, to);
    if (end >= 0 && bytes[at + 1] === 33 && bytes[at + 2] !== 45) throw doctypeRefused(this.#facts.part);
    return end;
  }

  /** Any tag but a plain `<c`. */
  #tag(bytes: Uint8Array, at: number, to: number): number {
    if (!readTag(bytes, at, to)) return NONE;
    const { end } = tag;
    if (!this.#isSheet) {
      if (!tagIs(bytes, "worksheet")) throw this.#fault("is no worksheet");
      this.#isSheet = true;
      if (tag.empty) this.done = true;
    } else if (tagIs(bytes, "sheetData")) {
      this.#endRow();
      this.#inData = !tag.closing;
      if (tag.closing || tag.empty) this.done = true;
    } else if (!this.#inData) {
      if (tag.closing && tagIs(bytes, "worksheet")) this.done = true;
    } else if (tagIs(bytes, "row")) {
      this.#endRow();
      if (!tag.closing) this.#startRow(bytes, tag.nameTo, end, tag.empty);
    } else if (tagIs(bytes, "c") && !tag.closing) {
      if (!this.#inRow) throw this.#fault(`has a cell outside of its rows, behind row ${this.#row}`);
      return this.#cell(bytes, tag.nameTo, to);
    }
    return end;
  }

  #startRow(bytes: Uint8Array, from: number, to: number, empty: boolean): void {
    this.#inRow = !empty;
    this.#column = NONE;
    this.#row++;
    for (let i = from; i < to; i++) {
      // Only ` r="…"` among spans, ht, style and the like.
      if (bytes[i] !== 114 || (bytes[i - 1] ?? 0) > 32 || bytes[i + 1] !== EQUALS) continue;
      const quote = bytes[i + 2] ?? 0;
      const close = bytes.indexOf(quote, i + 3);
      const number = indexAt(bytes, i + 3, close);
      if (number < 1) throw this.#fault(`has a row numbered ${JSON.stringify(latin(bytes, i + 3, Math.min(close, i + 40)))}`);
      this.#row = number;
      return;
    }
  }

  #endRow(): void {
    if (!this.#inRow) return;
    this.#inRow = false;
    const { block } = this;
    if (block.text.length - this.#rowText > this.#facts.recordBytes) {
      const limit = this.#facts.recordBytes;
      throw new Fault(
        "limit_exceeded",
        `row ${this.#row} of the part ${this.#facts.part} is longer than ${limit} bytes (limit recordBytes)`,
        {
          field: "recordBytes",
          limit,
        },
      );
    }
    this.#rowText = block.text.length;
    block.endRow(this.#row);
  }

  /** A cell, from behind its tag's name on. Returns where it ends. */
  #cell(bytes: Uint8Array, from: number, to: number): number {
    const column = this.#column;
    const end = this.#attributes(bytes, from, to);
    if (end < 0) {
      this.#column = column;
      return NONE;
    }
    if (bytes[end - 2] === SLASH) return end;
    const after = this.#plainValue(bytes, end, to) || this.#content(bytes, end, to);
    if (after < 0) {
      this.#column = column;
      this.block.dropText();
    }
    return after;
  }

  /** Reads r, s and t; returns what is behind the tag's `>`. */
  #attributes(bytes: Uint8Array, from: number, to: number): number {
    this.#style = 0;
    this.#type = TYPE.number;
    let column = this.#column + 1;
    for (let i = from; ;) {
      let c = bytes[i] ?? 0;
      while (c <= 32) c = bytes[++i] ?? 0;
      if (c === GT || (c === SLASH && bytes[i + 1] === GT)) {
        const end = c === GT ? i + 1 : i + 2;
        if (end > to) return NONE;
        if (column >= this.#facts.maxColumns) throw this.#tooManyColumns(column);
        this.#column = column;
        return end;
      }
      const name = c;
      const nameAt = i;
      while (c !== EQUALS && c !== GT && c !== LT && c > 32) c = bytes[++i] ?? 0;
      const single = i === nameAt + 1;
      while (c <= 32) c = bytes[++i] ?? 0;
      if (c !== EQUALS) {
        if (i >= to) return NONE;
        throw this.#fault(`has a damaged cell in row ${this.#row}`);
      }
      let quote = bytes[++i] ?? 0;
      while (quote <= 32) quote = bytes[++i] ?? 0;
      if (quote !== 34 && quote !== 39) {
        if (i >= to) return NONE;
        throw this.#fault(`has a damaged cell in row ${this.#row}`);
      }
      const value = ++i;
      while (bytes[i] !== quote) i++;
      if (i >= to) return NONE;
      if (single) {
        if (name === 114) column = this.#columnOf(bytes, value, i);
        else if (name === 115) this.#style = indexAt(bytes, value, i);
        else if (name === 116) this.#type = typeOf(bytes, value, i);
      }
      i++;
    }
  }

  /** The column of a reference such as AB12, from 0. */
  #columnOf(bytes: Uint8Array, from: number, to: number): number {
    let column = 0;
    let i = from;
    for (; i < to; i++) {
      const letter = (bytes[i] ?? 0) & ~32;
      if (letter < 65 || letter > 90) break;
      column = column * 26 + letter - 64;
      if (column > 1e6) break;
    }
    if (column === 0)
      throw this.#fault(`has a cell named ${JSON.stringify(latin(bytes, from, Math.min(to, from + 40)))} in row ${this.#row}`);
    return column - 1;
  }

  /** The usual `<v>…</v></c>`; 0 for anything else. */
  #plainValue(bytes: Uint8Array, at: number, to: number): number {
    if (bytes[at] !== LT || bytes[at + 1] !== 118 || bytes[at + 2] !== GT) return 0;
    let i = at + 3;
    while (bytes[i] !== LT) i++;
    if (bytes[i + 1] !== SLASH || bytes[i + 2] !== 118 || bytes[i + 3] !== GT) return 0;
    if (bytes[i + 4] !== LT || bytes[i + 5] !== SLASH || bytes[i + 6] !== 99 || bytes[i + 7] !== GT || i + 8 > to) return 0;
    this.#value(bytes, at + 3, i);
    return i + 8;
  }

  /** What a cell holds, tag by tag. */
  #content(bytes: Uint8Array, from: number, to: number): number {
    let valueFrom = NONE;
    let valueTo = NONE;
    for (let i = from; ;) {
      while (bytes[i] !== LT) i++;
      if (i >= to) return NONE;
      if (isMark(bytes, i)) {
        i = this.#mark(bytes, i, to);
        if (i < 0) return NONE;
        continue;
      }
      if (!readTag(bytes, i, to)) return NONE;
      const { end, closing, empty } = tag;
      if (closing && tagIs(bytes, "c")) {
        if (valueFrom >= 0) this.#value(bytes, valueFrom, valueTo);
        else if (this.#type === TYPE.inline) this.block.addText(this.#column);
        return end;
      }
      if (closing && (tagIs(bytes, "row") || tagIs(bytes, "sheetData")))
        throw this.#fault(`has a cell in row ${this.#row} that does not end`);
      if (closing || empty) i = end;
      else if (tagIs(bytes, "v")) {
        valueFrom = end;
        i = valueTo = textEnd(bytes, end, to);
      } else if (tagIs(bytes, "f")) i = textEnd(bytes, end, to);
      else if (tagIs(bytes, "is")) i = this.#inline(bytes, end, to);
      else i = end;
      if (i < 0) return NONE;
    }
  }

  #inline(bytes: Uint8Array, from: number, to: number): number {
    const end = writeItem(bytes, from, to, this.block.text);
    if (end >= 0 && this.#type !== TYPE.inline) this.block.dropText();
    return end;
  }

  #value(bytes: Uint8Array, from: number, to: number): void {
    const { block } = this;
    const column = this.#column;
    switch (this.#type) {
      case TYPE.shared: {
        if (from === to) return;
        const { count, offsets } = this.#facts.strings;
        const index = indexAt(bytes, from, to);
        if (index < 0 || index >= count) throw this.#noString(latin(bytes, from, Math.min(to, from + 40)));
        if (offsets[index] !== offsets[index + 1]) block.add(column, CELL.shared, index);
        return;
      }
      case TYPE.number: {
        if (from === to) return;
        const value = numberAt(bytes, from, to);
        if (!Number.isFinite(value)) return this.#text(bytes, from, to);
        return addNumber(block, column, value, this.#facts.styles[this.#style] ?? SHOWN.number, this.#facts.date1904);
      }
      case TYPE.bool: {
        const first = bytes[from];
        const one = to - from === 1;
        if (one ? first === 49 : latin(bytes, from, Math.min(to, from + 8)).trim() === "true") block.add(column, CELL.bool, 1);
        else if (one ? first === 48 : latin(bytes, from, Math.min(to, from + 8)).trim() === "false") block.add(column, CELL.bool, 0);
        else this.#text(bytes, from, to);
        return;
      }
      case TYPE.error:
        return block.add(column, CELL.error, 0);
      case TYPE.date:
        return this.#isoDate(bytes, from, to);
      default:
        return this.#text(bytes, from, to);
    }
  }

  /** What is not as its type says stays as it is written. */
  #text(bytes: Uint8Array, from: number, to: number): void {
    this.block.dropText();
    writeText(bytes, from, to, this.block.text);
    this.block.addText(this.#column);
  }

  #isoDate(bytes: Uint8Array, from: number, to: number): void {
    const found = isoToSerial(latin(bytes, from, Math.min(to, from + 40)));
    if (found === null) return this.#text(bytes, from, to);
    addNumber(this.block, this.#column, found.serial, found.timeOnly ? SHOWN.time : SHOWN.date, false);
  }

  #noString(index: string): Fault {
    return this.#fault(`has a cell in row ${this.#row} that names shared string ${index}, there are ${this.#facts.strings.count}`);
  }

  #tooManyColumns(column: number): Fault {
    const limit = this.#facts.maxColumns;
    return new Fault(
      "limit_exceeded",
      `row ${this.#row} has a cell in column ${column + 1}, at most ${limit} columns are allowed (limit columns)`,
      {
        field: "columns",
        value: column + 1,
        limit,
      },
    );
  }

  #fault(what: string): Fault {
    const { part } = this.#facts;
    return new Fault("unreadable", `the part ${part} ${what}`, { field: "part", value: part });
  }
}

function isNameEnd(c: number): boolean {
  return c <= 32 || c === GT || c === SLASH;
}

function typeOf(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from];
  if (to - from === 1) {
    if (first === 115) return TYPE.shared;
    if (first === 98) return TYPE.bool;
    if (first === 101) return TYPE.error;
    if (first === 100) return TYPE.date;
    return TYPE.number;
  }
  return first === 105 ? TYPE.inline : first === 115 ? TYPE.text : TYPE.number;
}

function latin(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(to - from, 0)).toString("latin1");
}
