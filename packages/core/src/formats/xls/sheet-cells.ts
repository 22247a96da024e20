import { CELL, CellBlock } from "../sheet/cell-block.ts";
import type { StringTable } from "../sheet/cell-text.ts";
import { addNumber } from "../sheet/number-cell.ts";
import type { SheetBlock } from "../sheet/sheet-table.ts";
import { TextBuffer } from "../sheet/text-buffer.ts";

/** Texts of a workbook as UTF-8, one behind the other. */
export class Texts implements StringTable {
  count = 0;
  offsets = new Uint32Array(256);
  readonly #text = new TextBuffer(1_024);

  get bytes(): Uint8Array {
    return this.#text.bytes;
  }

  /** Adds a text; returns its number. */
  add(text: string): number {
    const encoded = Buffer.from(text.replace(/\r\n/g, "\n").toWellFormed());
    this.#text.reserve(encoded.length);
    this.#text.bytes.set(encoded, this.#text.length);
    this.#text.length += encoded.length;
    this.count++;
    if (this.count === this.offsets.length) {
      const offsets = new Uint32Array(this.count * 2);
      offsets.set(this.offsets);
      this.offsets = offsets;
    }
    this.offsets[this.count] = this.#text.length;
    return this.count - 1;
  }

  isEmpty(text: number): boolean {
    return this.offsets[text] === this.offsets[text + 1];
  }
}

const KIND = { number: 0, text: 1, bool: 2, error: 3 } as const;

/** The cells of one sheet in the order in which they are found, each in a few bytes of flat arrays. */
export class SheetCells {
  #count = 0;
  #rows = new Uint16Array(1_024);
  #columns = new Uint16Array(1_024);
  #kinds = new Uint8Array(1_024);
  /** How a number is shown. */
  #shown = new Uint8Array(1_024);
  #values = new Float64Array(1_024);
  #ordered = true;

  addNumber(row: number, column: number, value: number, shown: number): void {
    // No cell can hold what is no number.
    if (Number.isFinite(value)) this.#add(row, column, KIND.number, value, shown);
    else this.addError(row, column);
  }

  addText(row: number, column: number, text: number): void {
    this.#add(row, column, KIND.text, text, 0);
  }

  addBool(row: number, column: number, value: boolean): void {
    this.#add(row, column, KIND.bool, Number(value), 0);
  }

  addError(row: number, column: number): void {
    this.#add(row, column, KIND.error, 0, 0);
  }

  /** Its rows in blocks. Throws nothing. */
  async *blocks(texts: Texts, date1904: boolean, rawSize: number): AsyncGenerator<SheetBlock> {
    const order = this.#ordered ? null : this.#sorted();
    let block = new CellBlock(Math.min(this.#count, 1 << 16) + 64);
    let row = -1;
    for (let i = 0; i < this.#count; i++) {
      const at = order?.[i] ?? i;
      const next = this.#rows[at] ?? 0;
      if (next !== row && row >= 0) {
        block.endRow(row + 1);
        if (block.full) {
          yield { block, rawBytes: Math.floor((rawSize * i) / this.#count) };
          block = new CellBlock();
        }
      }
      row = next;
      this.#cell(block, at, texts, date1904);
    }
    if (row >= 0) block.endRow(row + 1);
    if (block.rows > 0) yield { block, rawBytes: rawSize };
  }

  #cell(block: CellBlock, at: number, texts: Texts, date1904: boolean): void {
    const column = this.#columns[at] ?? 0;
    const value = this.#values[at] ?? 0;
    const kind = this.#kinds[at];
    if (kind === KIND.number) addNumber(block, column, value, this.#shown[at] ?? 0, date1904);
    else if (kind === KIND.bool) block.add(column, CELL.bool, value);
    else if (kind === KIND.error) block.add(column, CELL.error, 0);
    else if (!texts.isEmpty(value)) block.add(column, CELL.shared, value);
  }

  #add(row: number, column: number, kind: number, value: number, shown: number): void {
    const at = this.#count;
    if (at === this.#rows.length) this.#grow();
    if (at > 0 && row < (this.#rows[at - 1] ?? 0)) this.#ordered = false;
    this.#rows[at] = row;
    this.#columns[at] = column;
    this.#kinds[at] = kind;
    this.#shown[at] = shown;
    this.#values[at] = value;
    this.#count = at + 1;
  }

  /** By row, otherwise as they were found. */
  #sorted(): Uint32Array {
    return Uint32Array.from({ length: this.#count }, (_, i) => i).sort((a, b) => (this.#rows[a] ?? 0) - (this.#rows[b] ?? 0) || a - b);
  }

  #grow(): void {
    const size = this.#rows.length * 2;
    const grown = <T extends Uint8Array | Uint16Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#rows = grown(this.#rows, new Uint16Array(size));
    this.#columns = grown(this.#columns, new Uint16Array(size));
    this.#kinds = grown(this.#kinds, new Uint8Array(size));
    this.#shown = grown(this.#shown, new Uint8Array(size));
    this.#values = grown(this.#values, new Float64Array(size));
  }
}
