import type { Scratch } from "../../columns/scratch.ts";
import type { ColumnType } from "../../domain/table-schema.ts";
import type { Observation } from "../../schema/observe.ts";
import { nullTexts } from "../../schema/null-texts.ts";
import type { CsvShape } from "../csv-shape.ts";
import type { DirectBlock, DirectPass, DirectTable, LoadJob } from "../direct.ts";
import type { FormatInput } from "../format.ts";
import { BlockReader } from "./block-reader.ts";
import type { CellBlock } from "./cell-block.ts";
import { NO_QUOTE } from "./cut-record.ts";
import { loadDecimals, loadDoubles, loadInts } from "./kernels/load-numbers.ts";
import { loadBools, loadNothing, loadTexts } from "./kernels/load-others.ts";
import type { Kernel } from "./kernels/load-rare.ts";
import { loadDates, loadTimes, loadTimestamps } from "./kernels/load-times.ts";
import { NullMarks } from "./null-marks.ts";
import { observeCells } from "./observe-cells.ts";

/** The short way for a csv, or null where it is written, or to be read, in a manner that only the long way knows. */
export function directCsv(input: FormatInput, shape: CsvShape): DirectTable | null {
  if (!shape.plain || input.ragged === "fail" || input.options.skip_rows_after_header) return null;
  const { ragged } = input;
  return { columns: shape.names.length, ofTexts: true, open: () => new CsvPass(input, shape, ragged) };
}

class CsvPass implements DirectPass {
  readonly #reader: BlockReader;
  readonly #nulls: NullMarks | null;
  readonly #block = new CsvBlock();

  constructor(input: FormatInput, { dialect, names, data }: CsvShape, ragged: "misfit" | "fill") {
    const texts = nullTexts(input.options);
    this.#nulls = texts === null ? null : new NullMarks(texts);
    this.#reader = new BlockReader(input.decoded(), {
      delimiter: dialect.delimiter.charCodeAt(0),
      quote: dialect.quote === "" ? NO_QUOTE : dialect.quote.charCodeAt(0),
      width: names.length,
      start: data,
      ragged,
      recordBytes: input.limits.recordBytes,
    });
  }

  get rawBytes(): number {
    return this.#reader.rawBytes;
  }

  async next(): Promise<DirectBlock | null> {
    const cells = await this.#reader.next();
    if (cells === null) return null;
    this.#nulls?.mark(cells);
    return this.#block.of(cells);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

class CsvBlock implements DirectBlock {
  #cells: CellBlock | null = null;

  of(cells: CellBlock): this {
    this.#cells = cells;
    return this;
  }

  get rows(): number {
    return this.#held.rows;
  }

  get misfits() {
    return this.#held.misfits;
  }

  get filled(): number {
    return this.#held.filled;
  }

  rowNumber(row: number): number {
    return this.#held.rowNumber(row);
  }

  place(row: number) {
    return this.#held.place(row);
  }

  drop(rows: readonly number[]): void {
    this.#held.drop(rows);
  }

  load(column: number, job: LoadJob, out: Scratch): void {
    out.begin(this.#held.rows);
    kernelOf(job.type)(this.#held, column, job, out);
  }

  observe(column: number, seen: Observation, textSettles: boolean): void {
    observeCells(this.#held, column, seen, textSettles);
  }

  get #held(): CellBlock {
    if (this.#cells === null) throw new Error("a block was used before it was read");
    return this.#cells;
  }
}

function kernelOf(type: ColumnType): Kernel {
  switch (type.kind) {
    case "int64":
      return loadInts;
    case "double":
      return loadDoubles;
    case "decimal":
      return loadDecimals;
    case "date":
      return loadDates;
    case "time":
      return loadTimes;
    case "timestamp":
      return loadTimestamps;
    case "bool":
      return loadBools;
    case "text":
    case "binary":
      return loadTexts;
    case "unknown":
    case "nested":
      return loadNothing;
  }
}
