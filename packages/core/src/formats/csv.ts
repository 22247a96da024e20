import { MAIN_TABLE } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import { nullTexts } from "../schema/null-texts.ts";
import { directCsv } from "./csv/direct-csv.ts";
import { type CellNulls, CsvBatch } from "./csv-batch.ts";
import type { CsvCutter } from "./csv-cutter.ts";
import { STEP, type Step } from "./csv-records.ts";
import { type CsvShape, findShape } from "./csv-shape.ts";
import { records } from "./csv-text.ts";
import type { Format, FormatInput, OpenedFile, SourceBatch } from "./format.ts";
import { cutterFor } from "./sniff.ts";

/** csv, tsv and psv: text of records and cells. */
export const csv: Format = {
  names: ["csv", "tsv", "psv"],

  async open(input: FormatInput): Promise<OpenedFile> {
    const shape = await findShape(input);
    const direct = directCsv(input, shape);
    const table = {
      table: MAIN_TABLE,
      columns: shape.names.map((name) => ({ name, type: null })),
      batches: () => batches(input, shape),
      ...(direct === null ? {} : { direct }),
    };
    return { dialect: shape.told, tables: [shape.rules === null ? table : { ...table, rules: shape.rules }] };
  },
};

async function* batches(input: FormatInput, shape: CsvShape): AsyncGenerator<SourceBatch> {
  const cutter = cutterFor(shape.dialect);
  const nulls = nullsOf(input);
  const taker = new RowTaker(input, shape, await footerAt(input, shape));
  for await (const { stretch, steps } of records(input, cutter, shape.encoding, shape.data)) {
    let batch = new CsvBatch(shape.names.length, stretch, nulls);
    for (const step of steps) {
      taker.take(step, cutter, batch);
      if (!batch.full) continue;
      yield batch.finish(stretch.rawBytes);
      batch = new CsvBatch(shape.names.length, stretch, nulls);
    }
    if (!batch.empty) yield batch.finish(stretch.rawBytes);
  }
}

function nullsOf({ options }: FormatInput): CellNulls {
  return { texts: nullTexts(options), strings: options.strings_can_be_null ?? true, quoted: options.quoted_strings_can_be_null };
}

/** Takes what is cut into batches: a row, a misfit, or a row that an option leaves out. */
class RowTaker {
  #row = 0;
  /** Physical rows after the header, blank ones and comments among them. */
  #physical = 0;
  #taken = 0;
  readonly #input: FormatInput;
  readonly #width: number;
  /** Number of the footer's first row. */
  readonly #footer: number;
  readonly #most: number;
  readonly #skipFirst: number;
  readonly #skipLines: ReadonlySet<number>;

  constructor(input: FormatInput, shape: CsvShape, footer: number) {
    this.#input = input;
    this.#width = shape.names.length;
    this.#footer = footer;
    this.#most = input.options.max_rows ?? Number.POSITIVE_INFINITY;
    this.#skipFirst = input.options.skip_rows_after_header ?? 0;
    this.#skipLines = new Set(input.options.skip_row_numbers);
  }

  take(step: Step, cutter: CsvCutter, batch: CsvBatch): void {
    const early = this.#physical++ < this.#skipFirst;
    if (!isRow(step, this.#input)) return;
    const row = ++this.#row;
    const left = early || row >= this.#footer || this.#taken >= this.#most || this.#skipLines.has(cutter.startLine - 1);
    if (left) {
      batch.skipped++;
      return;
    }
    this.#taken++;
    const broken = batch.brokenByte(cutter);
    if (broken !== null) batch.addMisfit(cutter, row, broken);
    else if (step === STEP.blank) batch.addBlank(cutter, row);
    else if (step === STEP.broken) batch.addMisfit(cutter, row, cutter.problem);
    else if (cutter.count === this.#width || this.#input.ragged === "fill") batch.add(cutter, row);
    else this.#ragged(cutter, row, batch);
  }

  #ragged(cutter: CsvCutter, row: number, batch: CsvBatch): void {
    const reason = `expected ${this.#width} cells, found ${cutter.count}`;
    if (this.#input.ragged === "fail") {
      const detail = { field: "ragged", value: cutter.count, limit: this.#width };
      throw new Fault("bad_row", `row ${row}, line ${cutter.startLine}: ${reason} (ragged is fail)`, detail);
    }
    batch.addMisfit(cutter, row, reason);
  }
}

/** Comments are no rows; blank lines are rows only where an option says so. */
function isRow(step: Step, { options }: FormatInput): boolean {
  return step !== STEP.comment && (step !== STEP.blank || options.skip_blank_lines === false);
}

/** The number of the footer's first row. Rows are counted before the first is taken: none needs to be held back. */
async function footerAt(input: FormatInput, shape: CsvShape): Promise<number> {
  const footer = input.options.skip_footer ?? 0;
  if (footer === 0) return Number.POSITIVE_INFINITY;
  const cutter = cutterFor(shape.dialect);
  let rows = 0;
  for await (const { steps } of records(input, cutter, shape.encoding, shape.data)) {
    for (const step of steps) if (isRow(step, input)) rows++;
  }
  return rows - footer + 1;
}
