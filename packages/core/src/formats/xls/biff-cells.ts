import { Fault } from "../../domain/fault.ts";
import { SHOWN, type Shown } from "../sheet/number-format.ts";
import { isBof, readDouble, readU16, readU32, readU8, RECORD, recordsFrom, withContinued } from "./biff-records.ts";
import { ContinuedTexts, readLongText, readShortText } from "./biff-text.ts";
import { type Globals, readShared, shownOf } from "./biff-globals.ts";
import { SheetCells } from "./sheet-cells.ts";

/** Reads the cells of the sheet whose BOF is at `at`, and where it ends. Charts within it have records of their own, which are passed over. */
export function readCells(stream: Buffer, at: number, globals: Globals): { readonly cells: SheetCells; readonly end: number } {
  const reader = new CellReader(globals);
  let depth = 0;
  for (const { type, data, at: from } of recordsFrom(stream, at)) {
    if (isBof(type)) depth++;
    else if (type === RECORD.eof) {
      depth--;
      if (depth === 0) return { cells: reader.cells, end: from + 4 };
    } else if (depth === 1) reader.read(type, data, () => withContinued(stream, from));
  }
  throw new Fault("unreadable", "the workbook is cut off: a sheet does not end");
}

class CellReader {
  readonly cells = new SheetCells();
  readonly #globals: Globals;
  /** The formula whose text the next STRING record holds. */
  #awaited: { readonly row: number; readonly column: number } | null = null;

  constructor(globals: Globals) {
    this.#globals = globals;
  }

  read(type: number, data: Buffer, parts: () => Buffer[]): void {
    const { decoder } = this.#globals;
    switch (type) {
      case RECORD.number:
        return this.cells.addNumber(...this.#place(data), readDouble(data, 6), this.#shown(data));
      case RECORD.rk:
        return this.cells.addNumber(...this.#place(data), rkAt(data, 6), this.#shown(data));
      case RECORD.mulRk:
        return this.#mulRk(data);
      case RECORD.labelSst:
        return this.#shared(data);
      case RECORD.label:
      case RECORD.rString:
        return this.#text(data, readLongText(data, 6, decoder));
      case RECORD.boolErr:
        return this.#boolErr(data, 6);
      case RECORD.formula:
        return this.#globals.version === 2 ? this.#formula(data, 7, this.#shown2(data)) : this.#formula(data, 6, this.#shown(data));
      case RECORD.formula3:
      case RECORD.formula4:
        return this.#formula(data, 6, this.#shown(data));
      case RECORD.string:
        return this.#result(decoder === null ? new ContinuedTexts(parts(), 0).next() : readLongText(Buffer.concat(parts()), 0, decoder));
      case RECORD.string2:
        return this.#result(readShortText(data, 0, decoder));
      case RECORD.integer2:
        return this.cells.addNumber(...this.#place(data), readU16(data, 7), this.#shown2(data));
      case RECORD.number2:
        return this.cells.addNumber(...this.#place(data), readDouble(data, 7), this.#shown2(data));
      case RECORD.label2:
        return this.#text(data, readShortText(data, 7, decoder));
      case RECORD.boolErr2:
        return this.#boolErr(data, 7);
      default:
        readShared(type, data, this.#globals);
    }
  }

  #place(data: Buffer): [row: number, column: number] {
    return [readU16(data, 0), readU16(data, 2)];
  }

  #shown(data: Buffer, at = 4): Shown {
    return this.#globals.styles[readU16(data, at)] ?? SHOWN.number;
  }

  /** BIFF 2 names a cell's format beside its style. */
  #shown2(data: Buffer): Shown {
    return shownOf(readU8(data, 5) & 0x3f, this.#globals);
  }

  #mulRk(data: Buffer): void {
    const [row, first] = this.#place(data);
    for (let at = 4, column = first; at + 8 <= data.length; at += 6, column++) {
      this.cells.addNumber(row, column, rkAt(data, at + 2), this.#shown(data, at));
    }
  }

  #shared(data: Buffer): void {
    const text = readU32(data, 6);
    const { shared } = this.#globals;
    if (text >= shared) {
      throw new Fault("unreadable", `the workbook is damaged: a cell names shared string ${text}, there are ${shared}`);
    }
    this.cells.addText(...this.#place(data), text);
  }

  #text(data: Buffer, text: string): void {
    this.cells.addText(...this.#place(data), this.#globals.texts.add(text));
  }

  #boolErr(data: Buffer, at: number): void {
    const value = readU8(data, at);
    if (readU8(data, at + 1) === 1) this.cells.addError(...this.#place(data));
    else this.cells.addBool(...this.#place(data), value !== 0);
  }

  /** The cached result of a formula ([MS-XLS] 2.5.133): a double, unless its last two bytes are 0xffff. */
  #formula(data: Buffer, at: number, shown: Shown): void {
    const [row, column] = this.#place(data);
    this.#awaited = null;
    if (readU16(data, at + 6) !== 0xffff) return this.cells.addNumber(row, column, readDouble(data, at), shown);
    const kind = readU8(data, at);
    if (kind === 0) this.#awaited = { row, column };
    else if (kind === 1) this.cells.addBool(row, column, readU8(data, at + 2) !== 0);
    else if (kind === 2) this.cells.addError(row, column);
  }

  #result(text: string | null): void {
    if (this.#awaited === null || text === null) return;
    this.cells.addText(this.#awaited.row, this.#awaited.column, this.#globals.texts.add(text));
    this.#awaited = null;
  }
}

/** A number in four bytes ([MS-XLS] 2.5.217): the high half of a double or a whole number of 30 bits, of either a hundredth. */
function rkAt(data: Buffer, at: number): number {
  const raw = readU32(data, at);
  let value = 0;
  if (raw & 2) value = (raw | 0) >> 2;
  else {
    const bits = Buffer.alloc(8);
    bits.writeUInt32LE((raw & 0xfffffffc) >>> 0, 4);
    value = bits.readDoubleLE(0);
  }
  return raw & 1 ? value / 100 : value;
}
