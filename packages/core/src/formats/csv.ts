import { MAIN_TABLE } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import { CsvBatch, type TextAt } from "./csv-batch.ts";
import { RecordReader, type Step, STEP } from "./csv-records.ts";
import type { Format, FormatInput, OpenedFile, SourceBatch } from "./format.ts";
import { headerNames } from "./header-names.ts";
import { sniffDelimiter } from "./sniff.ts";
import { utf8Text } from "./utf8-text.ts";

const SNIFF_CHARS = 64 * 1024;
const USUAL: Readonly<Record<string, string>> = { tsv: "\t", psv: "|" };

interface CsvShape {
  readonly delimiter: string;
  readonly quote: string;
  readonly header: boolean;
  readonly names: readonly string[];
}

/** csv, tsv and psv: text of records and cells. */
export const csv: Format = {
  names: ["csv", "tsv", "psv"],

  async open(input: FormatInput): Promise<OpenedFile> {
    const shape = await findShape(input);
    return {
      dialect: { delimiter: shape.delimiter, quote: shape.quote, header: shape.header, encoding: "utf-8" },
      tables: [
        {
          table: MAIN_TABLE,
          columns: shape.names.map((name) => ({ name, type: null })),
          batches: () => batches(input, shape),
        },
      ],
    };
  },
};

/** Texts that begin where a record begins, each with whole records but for its last; `step` says whether more follows. */
interface Stretch extends TextAt {
  readonly final: boolean;
  readonly rawBytes: number;
}

/** A record that outgrows its stretch is waited for until the text has doubled, so that long records cost linear time. */
class Stretches {
  #pending: string[] = [];
  #rest = "";
  #chars = 0;
  #wanted = 0;
  #byteOffset = 0;
  #bytes = 0;
  readonly #input: FormatInput;

  constructor(input: FormatInput) {
    this.#input = input;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Stretch> {
    let rawBytes = 0;
    let first = true;
    for await (const chunk of utf8Text(this.#input.decoded())) {
      rawBytes = chunk.rawBytes;
      if (first) this.#byteOffset = chunk.byteOffset;
      first = false;
      this.#pending.push(chunk.text);
      this.#chars += chunk.text.length;
      this.#bytes += chunk.byteLength;
      if (this.#chars >= this.#wanted) yield this.#take(false, rawBytes);
    }
    yield this.#take(true, rawBytes);
  }

  /** What of the last stretch was not read: the beginning of the next one. */
  keep(text: string, from: number, openedOn: string): void {
    const rest = text.slice(from);
    const bytes = Buffer.byteLength(rest);
    if (rest.length > this.#input.limits.recordBytes) throw recordTooLong(this.#input, openedOn);
    this.#byteOffset += this.#bytes - bytes;
    this.#bytes = bytes;
    this.#rest = rest;
    this.#chars = rest.length;
    this.#wanted = from === 0 ? Math.min(rest.length * 2, this.#input.limits.recordBytes + 1) : 0;
  }

  #take(final: boolean, rawBytes: number): Stretch {
    const text = this.#pending.length === 0 ? this.#rest : this.#rest + this.#pending.join("");
    this.#pending = [];
    return { text, byteOffset: this.#byteOffset, ascii: this.#bytes === text.length, final, rawBytes };
  }
}

function recordTooLong(input: FormatInput, where: string): Fault {
  const limit = input.limits.recordBytes;
  return new Fault("limit_exceeded", `a record that begins on ${where} is longer than ${limit} bytes (limit recordBytes)`, {
    field: "recordBytes",
    limit,
  });
}

function unclosed(reader: RecordReader): Fault {
  return new Fault("unreadable", `line ${reader.quoteLine}: a quote opens here and is never closed`, {
    field: "line",
    value: reader.quoteLine,
  });
}

function whereOf(reader: RecordReader, step: Step): string {
  return step === STEP.unclosed
    ? `line ${reader.startLine} (a quote that opens on line ${reader.quoteLine} is not closed)`
    : `line ${reader.startLine}`;
}

/** Every record and blank line of the file, as `visit` returns; stops when it returns "stop". */
async function* records(input: FormatInput, reader: RecordReader): AsyncGenerator<{ stretch: Stretch; steps: Iterable<Step> }> {
  const stretches = new Stretches(input);
  for await (const stretch of stretches) {
    reader.load(stretch.text, stretch.final);
    let last = STEP.end as Step;
    const steps = function* (): Generator<Step> {
      for (;;) {
        last = reader.next();
        if (last === STEP.more || last === STEP.end || last === STEP.unclosed) return;
        // Only rows that are left out are counted with blank lines among them.
        if (last === STEP.blank && !input.options.skip_rows) continue;
        if (reader.end - reader.start > input.limits.recordBytes) throw recordTooLong(input, whereOf(reader, last));
        yield last;
      }
    };
    yield { stretch, steps: steps() };
    if (last === STEP.unclosed && stretch.final) throw unclosed(reader);
    if (!stretch.final) stretches.keep(stretch.text, reader.pos, whereOf(reader, last));
  }
}

async function findShape(input: FormatInput): Promise<CsvShape> {
  const { options } = input;
  const quote = options.quote === false ? "" : (options.quote ?? '"');
  const usual = USUAL[input.name] ?? ",";
  const header = options.header ?? true;
  const delimiter = options.delimiter ?? (await findDelimiter(input, quote, usual));
  const reader = new RecordReader(delimiter, quote);
  let skip = options.skip_rows ?? 0;
  for await (const { steps } of records(input, reader)) {
    for (const step of steps) {
      if (skip-- > 0 || step === STEP.blank) continue;
      if (step === STEP.broken) throw new Fault("unreadable", `the first row cannot be read: ${reader.problem}`);
      if (reader.count > input.limits.columns) {
        throw new Fault("limit_exceeded", `the first row has ${reader.count} columns, at most ${input.limits.columns} are allowed`, {
          field: "columns",
          value: reader.count,
          limit: input.limits.columns,
        });
      }
      const cells = reader.cells.slice(0, reader.count);
      const names = headerNames(header ? cells : cells.map(() => null));
      return { delimiter, quote, header, names };
    }
  }
  throw new Fault("unreadable", `the file holds no ${header ? "header row" : "rows"}`);
}

/** Looks at the first 64 Ki characters after the rows that are left out. */
async function findDelimiter(input: FormatInput, quote: string, usual: string): Promise<string> {
  const reader = new RecordReader(usual, quote);
  let skip = input.options.skip_rows ?? 0;
  for await (const { stretch, steps } of records(input, reader)) {
    let from = 0;
    if (skip > 0) {
      for (const _ of steps) {
        from = reader.pos;
        if (--skip === 0) break;
      }
      if (skip > 0) continue;
    }
    const whole = stretch.final && stretch.text.length - from <= SNIFF_CHARS;
    return sniffDelimiter(stretch.text.slice(from, from + SNIFF_CHARS), whole, quote, usual);
  }
  return usual;
}

async function* batches(input: FormatInput, shape: CsvShape): AsyncGenerator<SourceBatch> {
  const reader = new RecordReader(shape.delimiter, shape.quote);
  const width = shape.names.length;
  const nulls = input.options.null_values && input.options.null_values.length > 0 ? new Set(input.options.null_values) : null;
  let skip = input.options.skip_rows ?? 0;
  let header = shape.header;
  let row = 0;
  for await (const { stretch, steps } of records(input, reader)) {
    let batch = new CsvBatch(width, stretch, nulls);
    for (const step of steps) {
      if (skip > 0) {
        skip--;
        continue;
      }
      if (step === STEP.blank) continue;
      if (header) {
        header = false;
        continue;
      }
      row++;
      if (step === STEP.broken) batch.addMisfit(reader, row, reader.problem);
      else if (reader.count === width || input.ragged === "fill") batch.add(reader, row);
      else batch.addMisfit(reader, row, `expected ${width} cells, found ${reader.count}`);
      if (batch.full) {
        yield batch.finish(stretch.rawBytes);
        batch = new CsvBatch(width, stretch, nulls);
      }
    }
    if (!batch.empty) yield batch.finish(stretch.rawBytes);
  }
}
