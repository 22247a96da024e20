import { Fault } from "../domain/fault.ts";
import { type TextRules, textRules } from "../schema/text-rules.ts";
import type { CsvDialect } from "./csv-dialect-reader.ts";
import { headEncoding, readHead } from "./csv-head.ts";
import { STEP } from "./csv-records.ts";
import { records, type StartsAt, type Stretch } from "./csv-text.ts";
import type { Dialect, FormatInput } from "./format.ts";
import { generatedNames, headerNames, joinHeader } from "./header-names.ts";
import { cutterFor, isPlain, PLAIN, sniffDialect, type Sniffed } from "./sniff.ts";
import { hasDecimalComma, startsWithData } from "./sniff-header.ts";
import { BROKEN_UTF8, brokenAt, bytesOf, withBrokenShown } from "./text-encoding.ts";

/** How a csv is written and where its rows begin: all that a reader needs to know. */
export interface CsvShape {
  readonly encoding: string;
  readonly dialect: CsvDialect;
  readonly header: boolean;
  readonly names: readonly string[];
  /** Where the first row begins; `byteOffset` counts from the start of the decoded file. */
  readonly data: StartsAt & { readonly byteOffset: number };
  /** How cells become values where that is not the usual way, or null. */
  readonly rules: TextRules | null;
  /** UTF-8, a delimiter and a quote of one ASCII character, and no option that leaves rows out or gives cells another meaning. */
  readonly plain: boolean;
  /** What is told of it. */
  readonly told: Dialect;
}

const USUAL: Readonly<Record<string, string>> = { tsv: "\t", psv: "|" };

/** Looks at the head of a csv. Throws `unreadable` where there is no header or no row, and `limit_exceeded` for too many columns. */
export async function findShape(input: FormatInput): Promise<CsvShape> {
  const { options } = input;
  const encoding = await headEncoding(input);
  const head = await readHead(input, encoding, options.skip_rows ?? 0);
  const sniffed = sniffDialect(head.text, head.whole, {
    ...(options.delimiter === undefined ? {} : { delimiter: options.delimiter }),
    ...(options.quote === undefined ? {} : { quote: options.quote === false ? "" : options.quote }),
    base: saidDialect(input),
    usual: USUAL[input.name] ?? ",",
    preamble: [options.skip_rows, options.header_row, options.column_names, options.skip_row_numbers].every((said) => said === undefined),
  });
  const dialect = { ...saidDialect(input), delimiter: sniffed.delimiter, quote: sniffed.quote, skipSpace: sniffed.skipSpace };
  const header = options.header ?? (options.column_names === undefined && !startsWithData(sniffed.rows));
  const top = await readTop(input, { encoding, dialect, header, preamble: sniffed.preamble, start: head.start });
  const comma =
    options.decimal === undefined && dialect.delimiter !== "," && hasDecimalComma(sniffed.rows.slice(header ? 1 : 0), dialect.delimiter);
  const rules = textRules(options, comma);
  return {
    encoding,
    dialect,
    header,
    names: top.names,
    data: top.data,
    rules,
    plain: rules === null && encoding === "utf-8" && isPlain(dialect) && !leavesRowsOut(input),
    told: toldOf(encoding, dialect, sniffed, header, input, comma),
  };
}

/** What options say of the dialect, the usual where they say nothing. */
function saidDialect({ options }: FormatInput): CsvDialect {
  return {
    ...PLAIN,
    escape: options.escape === undefined || options.escape === false ? "" : options.escape,
    doubleQuote: options.double_quote ?? true,
    comment: options.comment ?? "",
    lineEnd: options.line_terminator ?? "",
    newlines: options.newlines_in_values ?? true,
    strip: options.strip ?? false,
    skipSpace: options.skip_initial_space ?? false,
    quotedNull: options.quoted_strings_can_be_null,
  };
}

function leavesRowsOut({ options, ragged }: FormatInput): boolean {
  const { max_rows: most, skip_row_numbers: numbers, skip_blank_lines: blanks } = options;
  const some = Boolean(options.skip_footer) || Boolean(options.skip_rows_after_header) || (numbers?.length ?? 0) > 0;
  const strings = options.strings_can_be_null === false || options.quoted_strings_can_be_null !== undefined;
  return most !== undefined || some || blanks === false || strings || ragged === "fail";
}

function toldOf(encoding: string, dialect: CsvDialect, sniffed: Sniffed, header: boolean, input: FormatInput, comma: boolean): Dialect {
  const { delimiter, quote, escape, skipSpace } = dialect;
  const rows = input.options.header_rows ?? 1;
  const decimal = comma ? "," : input.options.decimal;
  return {
    delimiter: skipSpace && !input.options.skip_initial_space ? `${delimiter} ` : delimiter,
    quote,
    ...(escape === "" ? {} : { escape }),
    header,
    ...(header && rows > 1 ? { headerRows: rows } : {}),
    ...(sniffed.preamble > 0 ? { preambleRows: sniffed.preamble } : {}),
    encoding: encoding === BROKEN_UTF8 ? "utf-8" : encoding,
    ...(decimal === undefined ? {} : { decimal }),
  };
}

interface Top {
  readonly encoding: string;
  readonly dialect: CsvDialect;
  readonly header: boolean;
  readonly preamble: number;
  readonly start: StartsAt;
}

/** Reads the header, or the first row's width, and finds where the rows begin. */
async function readTop(input: FormatInput, top: Top): Promise<Pick<CsvShape, "names" | "data">> {
  const { options } = input;
  const cutter = cutterFor(top.dialect);
  const left = new Set(options.skip_row_numbers);
  let before = top.preamble + (top.header ? (options.header_row ?? 0) : 0);
  const wanted = top.header ? (options.header_rows ?? 1) : 1;
  const rows: (string | null)[][] = [];
  for await (const { stretch, steps } of records(input, cutter, top.encoding, top.start)) {
    for (const step of steps) {
      if (step === STEP.blank || step === STEP.comment || left.has(cutter.startLine - 1) || before-- > 0) continue;
      if (step === STEP.broken) throw new Fault("unreadable", `the first row cannot be read: ${cutter.problem}`);
      if (top.encoding === BROKEN_UTF8 && top.header) checkHeader(stretch.text.slice(cutter.start, cutter.end), cutter.startLine);
      checkColumns(input, cutter.count);
      rows.push(cutter.cells.slice(0, cutter.count));
      if (rows.length < wanted) continue;
      const at = top.header ? cutter.pos : cutter.start;
      return { names: namesOf(input, top.header, rows), data: placeOf(stretch, at, top.header ? cutter.line : cutter.startLine) };
    }
  }
  throw new Fault("unreadable", `the file holds no ${top.header ? "header row" : "rows"}`);
}

/** A row with a broken byte can be rejected; a name cannot. */
function checkHeader(record: string, line: number): void {
  const at = brokenAt(record);
  if (at < 0) return;
  const shown = withBrokenShown(record.slice(Math.max(at - 20, 0), at + 20));
  throw new Fault("unreadable", `line ${line}: the header has a byte that is no UTF-8: ${shown}`, { field: "line", value: line });
}

function checkColumns(input: FormatInput, count: number): void {
  const { columns } = input.limits;
  if (count <= columns) return;
  throw new Fault("limit_exceeded", `the first row has ${count} columns, at most ${columns} are allowed`, {
    field: "columns",
    value: count,
    limit: columns,
  });
}

function namesOf(input: FormatInput, header: boolean, rows: readonly (readonly (string | null)[])[]): string[] {
  const { column_names: said, generated_names: style } = input.options;
  if (said !== undefined) return headerNames(said);
  return header ? headerNames(joinHeader(rows), style) : headerNames(generatedNames(rows[0]?.length ?? 0, style));
}

function placeOf(stretch: Stretch, at: number, line: number): CsvShape["data"] {
  const before = stretch.text.slice(0, at);
  return { chars: stretch.chars + at, line, byteOffset: stretch.byteOffset + (bytesOf(before, stretch.per) ?? before.length) };
}
