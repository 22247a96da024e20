import { isUtf8 } from "node:buffer";
import { Fault } from "../../domain/fault.ts";
import type { DecodedChunk } from "../decompress.ts";
import type { FormatLimits, Misfit, Place } from "../format.ts";
import { firstInvalid } from "../utf8-text.ts";
import { type Block, Blocks } from "./blocks.ts";
import { RowCells } from "./row-cells.ts";
import { CLOSE_ARRAY, DEEP, KIND, MAX_DEPTH, MORE, OPEN_ARRAY, OPEN_OBJECT, scan, scanValue, skipSpace } from "./scan-value.ts";

/** How rows lie in a text: one a line, one behind the other, or in one array. */
export type Layout = "lines" | "sequence" | "array";

/** Rows of a block, still as ranges of its bytes; valid until the next batch is asked for. */
export interface RecordBatch {
  readonly bytes: Buffer;
  readonly cells: RowCells;
  readonly misfits: readonly Misfit[];
  /** By row of `cells`. */
  readonly rowNumbers: readonly number[];
  place(index: number): Place;
  readonly rawBytes: number;
}

/** Reads rows of one kind, objects or arrays, as the first of them is. Anything else in a row's place is a misfit. */
export class RecordReader {
  readonly cells: RowCells;
  readonly #layout: Layout;
  readonly #limits: FormatLimits;
  #opener = 0;
  #row = 0;
  /** Lines that end before the block, and where the last of them ends. */
  #lines = 0;
  #lineStart = 0;
  #misfits: Misfit[] = [];
  #rowNumbers: number[] = [];
  #rowLines: number[] = [];
  /** Where in an array the reading stands. */
  #state: "open" | "first" | "value" | "behind" | "closed" = "open";

  /** `known`: the cells of an earlier reader of the same rows, which know the columns from the start. */
  constructor(layout: Layout, limits: FormatLimits, known?: RowCells) {
    this.#layout = layout;
    this.#limits = limits;
    this.cells = known ?? new RowCells(limits.columns);
    this.cells.clear();
  }

  /** Whether rows are arrays; null before there was a row. */
  get ofArrays(): boolean | null {
    return this.#opener === 0 ? null : this.#opener === OPEN_ARRAY;
  }

  async *batches(chunks: AsyncIterable<DecodedChunk>): AsyncGenerator<RecordBatch> {
    const blocks = new Blocks(chunks, this.#limits.recordBytes);
    for await (const block of blocks) {
      let at = block.from;
      const steps = this.#layout === "lines" ? this.#readLines(block) : this.#readValues(block);
      for (;;) {
        const step = steps.next();
        at = step.value;
        if (this.cells.rows + this.#misfits.length > 0) {
          yield this.#batch(block);
          this.cells.clear();
        }
        if (step.done) break;
      }
      if (!block.final) {
        if (this.#layout !== "lines") this.#countLines(block, at);
        blocks.keep(at);
      }
    }
  }

  /** Yields wherever a batch is full; returns up to where the block was read. */
  *#readLines(block: Block): Generator<number, number> {
    const { bytes, to, final } = block;
    const valid = isUtf8(bytes.subarray(block.from, bytes.lastIndexOf(10, to - 1) + 1));
    for (let at = block.from; at < to;) {
      let end = bytes.indexOf(10, at);
      if (end < 0 || end >= to) {
        if (!final) return at;
        end = to;
      }
      this.#lines++;
      if (end - at > this.#limits.recordBytes) throw this.#tooLong(block, at);
      const checked = (valid && end !== to) || isUtf8(bytes.subarray(at, end));
      if (!checked) this.#misfit(block, at, end, `byte ${block.offset + at + firstInvalid(bytes.subarray(at, end))} is no UTF-8`);
      for (let i = checked ? skipSpace(bytes, at, end) : end; i < end; i = skipSpace(bytes, i, end)) {
        if (this.cells.full) yield at;
        const next = this.#readRow(block, i, end);
        if (next < 0) {
          this.#misfit(block, i, end, `byte ${block.offset + scan.at}: ${scan.problem}`);
          break;
        }
        i = next;
      }
      at = end + 1;
    }
    return to;
  }

  *#readValues(block: Block): Generator<number, number> {
    const { bytes, to, final } = block;
    let at = block.from;
    let read = at;
    for (;;) {
      at = skipSpace(bytes, at, to);
      if (at >= to) break;
      if (this.#layout === "array") {
        const next = this.#readPunctuation(block, at);
        if (next > at) {
          at = next;
          continue;
        }
      }
      if (this.cells.full) {
        this.#checkText(block, read, at);
        read = at;
        yield at;
      }
      const next = this.#readRow(block, at, to);
      if (!final && next === MORE) break;
      if (next < 0) throw this.#unreadable(block, scan.at, scan.problem);
      at = next;
      this.#state = "behind";
    }
    this.#checkText(block, read, at);
    if (final && this.#layout === "array" && this.#state !== "closed") throw this.#unreadable(block, to, "the array of rows is not closed");
    return at;
  }

  /** Behind a bracket or comma of the array of rows, where one stands at `at`; `at` itself where a row must begin. */
  #readPunctuation(block: Block, at: number): number {
    const c = block.bytes[at] ?? 0;
    switch (this.#state) {
      case "open":
        this.#state = "first";
        return at + 1;
      case "first":
      case "behind":
        if (c === CLOSE_ARRAY) this.#state = "closed";
        else if (this.#state === "first") return at;
        else if (c === 44) this.#state = "value";
        else throw this.#unreadable(block, at, "a comma or ] must follow a row");
        return at + 1;
      case "value":
        return at;
      case "closed":
        throw this.#unreadable(block, at, "something follows the array of rows");
    }
  }

  /** The end of the row at `at`: added to the cells, or a misfit. */
  #readRow(block: Block, at: number, to: number): number {
    const { bytes } = block;
    const opener = bytes[at] ?? 0;
    if (this.#opener === 0 && (opener === OPEN_OBJECT || opener === OPEN_ARRAY)) this.#opener = opener;
    let end: number;
    if (opener !== this.#opener) {
      end = scanValue(bytes, at, to);
      // A number that ends where the block does may go on in the next.
      if (end === to && !block.final && this.#layout !== "lines" && isDigit(bytes[to - 1])) return MORE;
      if (end >= 0) {
        const wanted = this.#opener === OPEN_ARRAY ? "an array" : "an object";
        this.#misfit(block, at, end, `a row must be ${wanted}, this is ${kindName(scan.kind)}`);
      }
    } else end = opener === OPEN_OBJECT ? this.cells.addObject(bytes, at, to) : this.cells.addArray(bytes, at, to);
    if (end === DEEP) throw tooDeep(block.offset + scan.at);
    if (end - at > this.#limits.recordBytes) throw this.#tooLong(block, at);
    if (end >= 0 && opener === this.#opener) {
      this.#rowNumbers.push(++this.#row);
      this.#rowLines.push(this.#lines);
    }
    return end;
  }

  #misfit(block: Block, from: number, to: number, reason: string): void {
    this.#misfits.push({ ...this.#placeOf(block, ++this.#row, this.#lines, from, to), reason });
  }

  #batch(block: Block): RecordBatch {
    const { cells } = this;
    const [misfits, rowNumbers, lines] = [this.#misfits, this.#rowNumbers, this.#rowLines];
    this.#misfits = [];
    this.#rowNumbers = [];
    this.#rowLines = [];
    return {
      bytes: block.bytes,
      cells,
      misfits,
      rowNumbers,
      place: (i) => this.#placeOf(block, rowNumbers[i] ?? 0, lines[i] ?? 0, cells.from[i] ?? 0, cells.to[i] ?? 0),
      rawBytes: block.rawBytes,
    };
  }

  #placeOf(block: Block, row: number, line: number, from: number, to: number): Place {
    const raw = block.bytes.toString("utf8", from, to);
    return { row, byteOffset: block.offset + from, line: this.#layout === "lines" ? line : this.#lines + newlines(block, from) + 1, raw };
  }

  #countLines(block: Block, at: number): void {
    this.#lines += newlines(block, at);
    const last = at === 0 ? -1 : block.bytes.lastIndexOf(10, at - 1);
    if (last >= 0) this.#lineStart = block.offset + last + 1;
  }

  #checkText(block: Block, from: number, to: number): void {
    const text = block.bytes.subarray(from, to);
    if (isUtf8(text)) return;
    throw this.#unreadable(block, from + firstInvalid(text), "no UTF-8");
  }

  #unreadable(block: Block, at: number, problem: string): Fault {
    const last = at === 0 ? -1 : block.bytes.lastIndexOf(10, at - 1);
    const line = this.#lines + newlines(block, at) + 1;
    const column = block.offset + at - (last >= 0 ? block.offset + last + 1 : this.#lineStart) + 1;
    const byte = block.offset + at;
    return new Fault("unreadable", `no readable JSON: line ${line}, column ${column} (byte ${byte}): ${problem}`, {
      field: "byte",
      value: byte,
    });
  }

  #tooLong(block: Block, at: number): Fault {
    const limit = this.#limits.recordBytes;
    return new Fault("limit_exceeded", `the row at byte ${block.offset + at} is longer than ${limit} bytes (limit recordBytes)`, {
      field: "recordBytes",
      limit,
    });
  }
}

export function tooDeep(at: number): Fault {
  return new Fault("limit_exceeded", `byte ${at}: nested deeper than ${MAX_DEPTH} (limit jsonDepth)`, {
    field: "jsonDepth",
    limit: MAX_DEPTH,
  });
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}

function newlines(block: Block, to: number): number {
  let count = 0;
  for (let at = block.bytes.indexOf(10); at >= 0 && at < to; at = block.bytes.indexOf(10, at + 1)) count++;
  return count;
}

const KIND_NAMES: Readonly<Record<number, string>> = {
  [KIND.null]: "null",
  [KIND.true]: "true",
  [KIND.false]: "false",
  [KIND.int]: "a number",
  [KIND.fraction]: "a number",
  [KIND.plain]: "a text",
  [KIND.escaped]: "a text",
  [KIND.object]: "an object",
  [KIND.array]: "an array",
};

export function kindName(kind: number): string {
  return KIND_NAMES[kind] ?? "nothing";
}
