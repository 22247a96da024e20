import { isUtf8 } from "node:buffer";
import { Fault } from "../../domain/fault.ts";
import type { DecodedChunk } from "../decompress.ts";
import type { FormatLimits, Misfit, Place } from "../format.ts";
import { firstInvalid } from "../utf8-text.ts";
import { type Block, Blocks } from "./blocks.ts";
import { FILE_START, LineCounter, type TextPlace } from "./lines.ts";
import { FULL, RowCells } from "./row-cells.ts";
import {
  BROKEN,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  scanKey,
  DEEP,
  KIND,
  MORE,
  OPEN_ARRAY,
  OPEN_OBJECT,
  scan,
  scanValue,
  skipSpace,
} from "./scan-value.ts";

/** The result of a row that is to be read once more, after the rows so far were taken. */
const AGAIN = -4;

/** How rows lie in a text: one a line, one behind the other, in one array, or in one object, each under its label. */
export type Layout = "lines" | "sequence" | "array" | "labelled";

export interface RecordOptions {
  readonly layout: Layout;
  readonly limits: FormatLimits;
  /** What becomes of a row that is an array with more or fewer values than the first, or than `names`. */
  readonly ragged: "misfit" | "fill" | "fail";
  /** Where in the file the rows begin; absent: at its start. */
  readonly start?: TextPlace;
  /** Names of the values of rows that are arrays. */
  readonly names?: readonly string[];
  /** The cells of an earlier reader of the same rows, which know the columns from the start. */
  readonly known?: RowCells;
}

/** Rows of a block, still as ranges of its bytes; valid until the next batch is asked for. */
export interface RecordBatch {
  readonly bytes: Buffer;
  readonly cells: RowCells;
  readonly misfits: readonly Misfit[];
  /** By row of `cells`. */
  readonly rowNumbers: readonly number[];
  /** Rows that were cut or filled. */
  readonly filled: number;
  readonly place: (index: number) => Place;
  readonly rawBytes: number;
}

/** Reads rows of one kind, objects or arrays, as the first of them is. Anything else in a row's place is a misfit. */
export class RecordReader {
  readonly cells: RowCells;
  readonly #options: RecordOptions;
  readonly #layout: Layout;
  #opener = 0;
  #row = 0;
  /** The line that is read, in lines. */
  #line = 0;
  readonly #lines: LineCounter;
  #misfits: Misfit[] = [];
  #rowNumbers: number[] = [];
  #rowLines: number[] = [];
  #filled = 0;
  #width: number | null = null;
  /** Where in an array the reading stands. */
  #state: "open" | "first" | "label" | "value" | "behind" | "closed" = "open";
  /** Where the label of the row begins. */
  #label = 0;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.#layout = options.layout;
    this.#lines = new LineCounter(options.start ?? FILE_START);
    this.cells = options.known ?? new RowCells(options.limits.columns);
    this.cells.clear();
  }

  async *batches(chunks: AsyncIterable<DecodedChunk>): AsyncGenerator<RecordBatch> {
    const blocks = new Blocks(chunks, this.#options.limits.recordBytes, this.#options.start?.offset ?? 0);
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
        if (this.#layout !== "lines") this.#lines.pass(block, at);
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
      this.#line++;
      if (end - at > this.#options.limits.recordBytes) throw this.#tooLong(block, at);
      const checked = (valid && end !== to) || isUtf8(bytes.subarray(at, end));
      if (!checked) this.#misfit(block, at, end, `byte ${block.offset + at + firstInvalid(bytes.subarray(at, end))} is no UTF-8`);
      const from = checked ? skipSpace(bytes, at, end) : end;
      if (from < end) {
        if (this.cells.full) yield at;
        if (this.#readLine(block, from, end) === AGAIN) {
          yield at;
          this.#readLine(block, from, end);
        }
      }
      at = end + 1;
    }
    return to;
  }

  /** A line is one row or one misfit. */
  #readLine(block: Block, from: number, end: number): number {
    const rows = this.cells.rows;
    const next = this.#readRow(block, from, end);
    if (next === AGAIN) return next;
    if (next < 0) {
      this.#misfit(block, from, end, `byte ${block.offset + scan.at}: ${scan.problem}`);
      return end;
    }
    const rest = skipSpace(block.bytes, next, end);
    if (rest === end || this.cells.rows === rows) return end;
    this.cells.dropLast();
    this.#rowNumbers.pop();
    this.#rowLines.pop();
    this.#row--;
    this.#misfit(block, from, end, `byte ${block.offset + rest}: something follows the row`);
    return end;
  }

  *#readValues(block: Block): Generator<number, number> {
    const { bytes, to, final } = block;
    let at = block.from;
    let read = at;
    for (;;) {
      at = skipSpace(bytes, at, to);
      if (at >= to) break;
      if (this.#layout === "array" || this.#layout === "labelled") {
        const next = this.#readPunctuation(block, at);
        if (next === MORE) break;
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
      if (next === AGAIN) {
        this.#checkText(block, read, at);
        read = at;
        yield at;
        continue;
      }
      if (!final && next === MORE) {
        // A label is read again with its row.
        if (this.#layout === "labelled") {
          this.#state = "label";
          at = this.#label;
        }
        break;
      }
      if (next < 0) throw this.#lines.unreadable(block, scan.at, scan.problem);
      at = next;
      this.#state = "behind";
    }
    this.#checkText(block, read, at);
    if (final && this.#layout !== "sequence" && this.#state !== "closed")
      throw this.#lines.unreadable(block, to, "the rows are not closed");
    return at;
  }

  /** Behind a bracket, a comma or a label of the rows, where one stands at `at`; `at` itself where a row must begin. */
  #readPunctuation(block: Block, at: number): number {
    const c = block.bytes[at] ?? 0;
    const labelled = this.#layout === "labelled";
    switch (this.#state) {
      case "open":
        if (c !== (labelled ? OPEN_OBJECT : OPEN_ARRAY))
          throw this.#lines.unreadable(block, at, `${labelled ? "{" : "["} must begin the rows`);
        this.#state = "first";
        return at + 1;
      case "first":
      case "behind":
        if (c === (labelled ? CLOSE_OBJECT : CLOSE_ARRAY)) this.#state = "closed";
        else if (this.#state === "first") {
          this.#state = labelled ? "label" : "value";
          return labelled ? this.#readLabel(block, at) : at;
        } else if (c === 44) this.#state = labelled ? "label" : "value";
        else throw this.#lines.unreadable(block, at, `a comma or ${labelled ? "}" : "]"} must follow a row`);
        return at + 1;
      case "label":
        return this.#readLabel(block, at);
      case "value":
        return at;
      case "closed":
        throw this.#lines.unreadable(block, at, "something follows the rows");
    }
  }

  /** Behind a label and its colon; MORE where the block ends before. */
  #readLabel(block: Block, at: number): number {
    const { bytes, to } = block;
    const next = scanKey(bytes, at, to);
    if (next < 0 || next >= to) {
      if (next === BROKEN || block.final) throw this.#lines.unreadable(block, scan.at, scan.problem);
      return MORE;
    }
    this.#label = at;
    this.cells.expectLabels();
    this.#state = "value";
    return next;
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
    } else end = this.#addRow(block, at, to);
    if (end === DEEP) throw tooDeep(block.offset + scan.at, this.#options.limits.jsonDepth);
    if (end - at > this.#options.limits.recordBytes) throw this.#tooLong(block, at);
    // An array of another length was no row.
    if (end >= 0 && this.cells.rows > this.#rowNumbers.length) {
      this.#rowNumbers.push(++this.#row);
      this.#rowLines.push(this.#line);
      if (this.#layout === "labelled") this.cells.labelLast(bytes, this.#label);
    }
    return end;
  }

  #addRow(block: Block, at: number, to: number): number {
    try {
      return this.#opener === OPEN_OBJECT ? this.cells.addObject(block.bytes, at, to) : this.#readArray(block, at, to);
    } catch (error) {
      if (error !== FULL) throw error;
      this.cells.abandon();
      return AGAIN;
    }
  }

  /** The first row says how many values the others have, where no names do. */
  #readArray(block: Block, at: number, to: number): number {
    const { cells } = this;
    const end = cells.addArray(block.bytes, at, to);
    if (end < 0) return end;
    this.#width ??= this.#options.names?.length ?? cells.width;
    const found = cells.width;
    if (found === this.#width) return end;
    if (this.#options.ragged === "fill") this.#filled++;
    else {
      cells.dropLast();
      this.#misfit(block, at, end, `expected ${this.#width} values, found ${found}`);
    }
    return end;
  }

  #misfit(block: Block, from: number, to: number, reason: string): void {
    this.#misfits.push({ ...this.#placeOf(block, ++this.#row, this.#line, from, to), reason });
  }

  #batch(block: Block): RecordBatch {
    const { cells } = this;
    const [misfits, rowNumbers, lines] = [this.#misfits, this.#rowNumbers, this.#rowLines];
    const filled = this.#filled;
    this.#filled = 0;
    this.#misfits = [];
    this.#rowNumbers = [];
    this.#rowLines = [];
    return {
      bytes: block.bytes,
      cells,
      misfits,
      rowNumbers,
      filled,
      place: (i: number) => this.#placeOf(block, rowNumbers[i] ?? 0, lines[i] ?? 0, cells.from[i] ?? 0, cells.to[i] ?? 0),
      rawBytes: block.rawBytes,
    };
  }

  #placeOf(block: Block, row: number, line: number, from: number, to: number): Place {
    const raw = block.bytes.toString("utf8", from, to);
    return { row, byteOffset: block.offset + from, line: this.#layout === "lines" ? line : this.#lines.lineAt(block, from), raw };
  }

  #checkText(block: Block, from: number, to: number): void {
    const text = block.bytes.subarray(from, to);
    if (isUtf8(text)) return;
    throw this.#lines.unreadable(block, from + firstInvalid(text), "no UTF-8");
  }

  #tooLong(block: Block, at: number): Fault {
    const limit = this.#options.limits.recordBytes;
    return new Fault("limit_exceeded", `the row at byte ${block.offset + at} is longer than ${limit} bytes (limit recordBytes)`, {
      field: "recordBytes",
      limit,
    });
  }
}

export function tooDeep(at: number, limit: number): Fault {
  return new Fault("limit_exceeded", `byte ${at}: nested deeper than ${limit} (limit jsonDepth)`, { field: "jsonDepth", limit });
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
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
