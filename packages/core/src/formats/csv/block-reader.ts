import { Fault } from "../../domain/fault.ts";
import { STEP, type Step } from "../csv-records.ts";
import type { DecodedChunk } from "../decompress.ts";
import { checkUtf8, cutOff } from "../utf8-text.ts";
import { CellBlock, textOf } from "./cell-block.ts";
import { type Marks, RecordCutter } from "./cut-record.ts";
import { newTokeniser, PADDING, SCAN, type Tokeniser } from "./tokeniser.ts";

/** Where the rows of a csv begin and how they are cut. */
export interface CellShape extends Marks {
  readonly width: number;
  /** The first row's byte in the decoded file, where a record begins, and the line it stands on. */
  readonly start: { readonly byteOffset: number; readonly line: number };
  /** What becomes of a record with too few or too many cells. */
  readonly ragged: "misfit" | "fill" | "fail";
  readonly recordBytes: number;
}

/** Cells of a block: its addresses and its bytes stay within a core's cache. */
const CELLS = 32_768;
const ROWS_AT_LEAST = 64;
/** Room for a chunk of input beside a record that is not whole yet. */
const BYTES = 3 * 2 ** 18;
/** How far is scanned at once after a record that was not regular: doubled with each success, halved with each more such record. */
const SHORT_SCAN = 4_096;
const SHORTEST_SCAN = 64;
const LF = 10;
const CR = 13;

/**
 * UTF-8 bytes in chunks -> blocks of cells. Throws as the slow reader of csv does: `unreadable` for a quote that is never
 * closed or bytes that are no UTF-8, `limit_exceeded` for a record longer than allowed.
 */
export class BlockReader {
  readonly #chunks: AsyncIterator<DecodedChunk>;
  readonly #shape: CellShape;
  readonly #make: typeof newTokeniser;
  readonly #cutter: RecordCutter;
  readonly #block: CellBlock;
  readonly #room: number;
  #tokeniser: Tokeniser;
  /** Content is in [at, to); address 0 is the file's byte `fileAt`; [to, read) is the beginning of a character. */
  #at: number;
  #to: number;
  #read: number;
  #fileAt: number;
  #line: number;
  #row = 1;
  #final = false;
  /** Bytes before the first row that are still to come. */
  #skip: number;
  #window = Number.MAX_SAFE_INTEGER;
  /** Bytes to wait for, so that a long record is not scanned for each chunk. */
  #wanted = 0;
  /** Compressed bytes consumed so far. */
  rawBytes = 0;

  /** `make` makes its tokenisers. */
  constructor(chunks: AsyncIterable<DecodedChunk>, shape: CellShape, make: typeof newTokeniser = newTokeniser) {
    this.#make = make;
    const { width } = shape;
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#shape = shape;
    this.#cutter = new RecordCutter(shape);
    const rows = Math.max(Math.floor(CELLS / width), ROWS_AT_LEAST);
    this.#room = rows * width;
    this.#tokeniser = make(shape, BYTES, this.#room + PADDING);
    // A scan may go on for some cells beyond the room.
    this.#block = new CellBlock(this.#tokeniser, width, rows + PADDING, shape);
    this.#at = this.#to = this.#read = this.#tokeniser.from;
    this.#fileAt = shape.start.byteOffset - this.#at;
    this.#skip = shape.start.byteOffset;
    this.#line = shape.start.line;
  }

  /** The next rows, or null when there are no more. The block is the same one each time. */
  async next(): Promise<CellBlock | null> {
    const block = this.#block;
    for (;;) {
      block.begin(this.#tokeniser, this.#row, this.#line, this.#at, this.#fileAt);
      const from = this.#at;
      block.to = this.#to;
      const regular = this.#to - this.#at >= this.#wanted && this.#scanAll(block);
      this.#row += block.rows + block.misfits.length;
      if (this.#at > from) {
        this.#line = regular ? this.#line + block.rows : block.lineOf(this.#at);
        this.#wanted = 0;
      }
      if (block.rows > 0 || block.misfits.length > 0) return block;
      if (this.#final && this.#at >= this.#to) return null;
      if (this.#final && this.#at === from) throw this.#unclosed();
      if (!this.#final) await this.#fill();
    }
  }

  /** Ends the pass, wherever it stands. */
  async close(): Promise<void> {
    this.#tokeniser.release();
    await this.#chunks.return?.();
  }

  /** Takes records until the block is full or the bytes are used up. True when each of them was one line. */
  #scanAll(block: CellBlock): boolean {
    const { width } = this.#shape;
    let regular = true;
    for (;;) {
      if ((block.rows + 1) * width > this.#room) return regular;
      const to = Math.min(this.#to, this.#at + this.#window);
      const stop = this.#tokeniser.scan(this.#at, to, block.rows * width, this.#room + PADDING);
      if (this.#tokeniser.quotes) regular = false;
      const { why, lines } = this.#tokeniser;
      const rows = block.rows;
      const odd = this.#takeRows(block, rows + lines, stop) || why === SCAN.odd;
      if (why === SCAN.full && block.rows > rows && !odd) return regular;
      if (odd || (why === SCAN.full && block.rows === rows) || (this.#final && to === this.#to && why === SCAN.end)) {
        regular = false;
        // Where odd records follow each other, each would be scanned for as far as the window reaches.
        if (odd) this.#window = Math.max(Math.min(this.#window, SHORT_SCAN * 2) >> 1, SHORTEST_SCAN);
        if (!this.#takeRecord(block)) return false;
      } else if (to < this.#to) this.#window *= 2;
      else return regular;
    }
  }

  /** Takes the scanned rows that are regular; true when the next one is not. */
  #takeRows(block: CellBlock, most: number, stop: number): boolean {
    const { width } = this.#shape;
    const { bytes, ends, starts } = block;
    const first = block.rows;
    const from = this.#at;
    let at = from;
    let row = first;
    let last = (first + 1) * width - 1;
    while (row < most && last < stop) {
      const end = ends[last] ?? 0;
      const c = bytes[end];
      if (c !== LF && c !== CR) break;
      // A blank line looks like a null where there is one column.
      if (end === at) break;
      starts[row++] = at;
      at = end + 1;
      if (c === CR && bytes[at] === LF) at++;
      last += width;
    }
    if (row !== most) {
      // Line ends stand where cells should end; rows before the first of these are good.
      row = first + regularRows(bytes, ends, first, row, width);
      at = row === first ? from : this.#afterRow(block, row - 1);
    }
    if (at - from > this.#shape.recordBytes) this.#checkLengths(block, first, row);
    block.rows = row;
    this.#at = at;
    return row !== most;
  }

  #afterRow(block: CellBlock, row: number): number {
    const end = block.ends[(row + 1) * this.#shape.width - 1] ?? 0;
    return block.bytes[end] === CR && block.bytes[end + 1] === LF ? end + 2 : end + 1;
  }

  #checkLengths(block: CellBlock, from: number, to: number): void {
    const { width, recordBytes } = this.#shape;
    for (let row = from; row < to; row++) {
      const start = block.starts[row] ?? 0;
      if ((block.ends[(row + 1) * width - 1] ?? 0) - start > recordBytes) throw this.#tooLong(`line ${block.lineOf(start)}`);
    }
  }

  /** Takes one record that the scan could not; false when it is not whole yet. */
  #takeRecord(block: CellBlock): boolean {
    const { width, ragged } = this.#shape;
    const cutter = this.#cutter;
    const at = this.#at;
    const out = block.rows * width;
    const step = cutter.cut(block.bytes, at, this.#to, this.#final, block.ends, out, width);
    if (step === STEP.more || step === STEP.end || step === STEP.unclosed) return false;
    if (step !== STEP.blank && cutter.end - at > this.#shape.recordBytes) throw this.#tooLong(`line ${block.lineOf(at)}`);
    this.#at = cutter.next;
    if (step === STEP.blank) {
      this.#skipBlanks(block.bytes);
      return true;
    }
    block.doubled.fill(1, out, out + width);
    if (step === STEP.broken) block.addMisfit(at, cutter.end, this.#problem(block, at));
    else if (cutter.count === width) block.starts[block.rows++] = at;
    else if (ragged === "misfit") block.addMisfit(at, cutter.end, `expected ${width} cells, found ${cutter.count}`);
    else {
      // A missing cell begins and ends one byte after the end of the one before it: no bytes, so null.
      for (let cell = cutter.count; cell < width; cell++) block.ends[out + cell] = (block.ends[out + cell - 1] ?? 0) + 1;
      block.starts[block.rows++] = at;
      block.filled++;
    }
    return true;
  }

  /** Blank lines come in many; a CR at the end of what is there waits for the LF that may follow it. */
  #skipBlanks(bytes: Uint8Array): void {
    let at = this.#at;
    while (at < this.#to && (bytes[at] === LF || (bytes[at] === CR && at + 1 < this.#to))) at++;
    this.#at = at;
  }

  /** What stands after a closing quote, in the words of `RecordReader`. */
  #problem(block: CellBlock, at: number): string {
    const { trouble } = this.#cutter;
    const before = textOf(block.bytes, at, trouble);
    const found = textOf(block.bytes, trouble, Math.min(trouble + 4, this.#to)).slice(0, 1);
    const expected = JSON.stringify(String.fromCharCode(this.#shape.delimiter));
    const where = `line ${block.lineOf(at) + this.#tokeniser.countLines(at, trouble)}, character ${before.length - before.lastIndexOf("\n")}`;
    return `expected ${expected} or the end of the line after a closing quote, found ${JSON.stringify(found)} (${where})`;
  }

  /** Reads a chunk behind what is left, which moves to the beginning of the memory. */
  async #fill(): Promise<void> {
    const left = this.#to - this.#at;
    if (left > this.#shape.recordBytes) throw this.#tooLong(this.#where());
    if (this.#wanted <= left) this.#wanted = left === 0 ? 0 : Math.min(left * 2, this.#shape.recordBytes + 1);
    const chunk = await this.#chunks.next();
    if (chunk.done) {
      this.#final = true;
      this.#wanted = 0;
      if (this.#read > this.#to) this.#checkNew(this.#read);
      return;
    }
    this.rawBytes = chunk.value.rawBytes;
    const bytes = chunk.value.bytes.subarray(Math.min(this.#skip, chunk.value.bytes.length));
    this.#skip -= chunk.value.bytes.length - bytes.length;
    this.#moveDown(bytes.length);
    this.#tokeniser.bytes.set(bytes, this.#read);
    chunk.value.done?.();
    this.#read += bytes.length;
    this.#checkNew(this.#read - cutOff(this.#tokeniser.bytes.subarray(this.#to, this.#read)));
  }

  #checkNew(end: number): void {
    if (end > this.#to) checkUtf8(this.#tokeniser.bytes.subarray(this.#to, end), this.#fileAt + this.#to);
    this.#to = end;
  }

  #moveDown(more: number): void {
    const old = this.#tokeniser;
    const used = this.#read - this.#at;
    let next = old;
    if (used + more > old.to - old.from) {
      next = this.#make(this.#shape, Math.max((old.to - old.from) * 2, used + more), this.#room + PADDING);
      next.bytes.set(old.bytes.subarray(this.#at, this.#read), next.from);
    } else old.bytes.copyWithin(old.from, this.#at, this.#read);
    const by = this.#at - next.from;
    this.#tokeniser = next;
    this.#fileAt += by;
    this.#at -= by;
    this.#to -= by;
    this.#read -= by;
  }

  /** Where the unfinished record begins. */
  #where(): string {
    const step = this.#cutter.cut(this.#block.bytes, this.#at, this.#to, this.#final, this.#block.ends, 0, 0) as Step;
    if (step !== STEP.unclosed) return `line ${this.#line}`;
    return `line ${this.#line} (a quote that opens on line ${this.#lineOfTrouble()} is not closed)`;
  }

  #lineOfTrouble(): number {
    return this.#line + this.#tokeniser.countLines(this.#at, this.#cutter.trouble);
  }

  #unclosed(): Fault {
    this.#where();
    const value = this.#lineOfTrouble();
    return new Fault("unreadable", `line ${value}: a quote opens here and is never closed`, { field: "line", value });
  }

  #tooLong(where: string): Fault {
    const limit = this.#shape.recordBytes;
    return new Fault("limit_exceeded", `a record that begins on ${where} is longer than ${limit} bytes (limit recordBytes)`, {
      field: "recordBytes",
      limit,
    });
  }
}

/** How many of the rows [first, to) have no line end before their last cell's. */
function regularRows(bytes: Uint8Array, ends: Int32Array, first: number, to: number, width: number): number {
  for (let row = first; row < to; row++) {
    const last = (row + 1) * width - 1;
    for (let cell = row * width; cell < last; cell++) {
      const c = bytes[ends[cell] ?? 0];
      if (c === LF || c === CR) return row - first;
    }
  }
  return to - first;
}
