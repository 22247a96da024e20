import { encodingName } from "./encodings.ts";
import {
  among,
  bool,
  charOrFalse,
  type Check,
  columnType,
  columnTypes,
  count,
  countFrom,
  names,
  namesOrPositions,
  oneChar,
  refuse,
  renames,
  rowNumbers,
  shortText,
  texts,
} from "./option-values.ts";
import { COMPRESSIONS, type FileOptions, FORMATS, GENERATED_NAMES, NESTED_RULES, ORIENTS, RAGGED_RULES, TABLE_RULES } from "./options.ts";
import { ISO8601, parseTimestampFormat } from "./strptime.ts";

/** One option of ours: what it takes, what it means, what holds without it. `docs/options.md` shows this table. */
export interface OwnOption<T> {
  readonly check: Check<T>;
  readonly takes: string;
  readonly means: string;
  readonly unsaid: string;
}

const encoding: Check<string> = (value, field) => {
  const name = typeof value === "string" ? encodingName(value) : null;
  return name ?? refuse(field, "must be the name of an encoding, such as utf-8, utf-16le, windows-1252, shift_jis", value);
};

/** Takes any run of blanks for one delimiter; written as pandas writes it. */
export const BLANKS = "\\s+";

const delimiter: Check<string> = (value, field) => {
  if (typeof value === "string" && value !== BLANKS && /^\\|^[\^$]|\[.*\]|\(.*\)/.test(value) && value.length > 1) {
    return refuse(field, `regular expressions do not travel; ${BLANKS} alone stands for any run of spaces and tabs`, value);
  }
  return shortText(value, field);
};

const lineEnd: Check<string> = (value, field) =>
  typeof value === "string" && value.length >= 1 && value.length <= 16 && !value.includes("\0")
    ? value
    : refuse(field, "must be 1 to 16 characters", value);

const formats: Check<readonly string[]> = (value, field) => {
  const list = texts(value, field);
  if (list.length > 32) refuse(field, "must be at most 32 formats", list.length);
  list.forEach((format, i) => {
    const parsed = format === ISO8601 ? null : parseTimestampFormat(format);
    if (typeof parsed === "string") refuse(`${field}[${i}]`, `must be a strptime format or ${ISO8601}: ${parsed}`, format);
  });
  return list;
};

const sheets: Check<readonly (string | number)[]> = (value, field) =>
  namesOrPositions(typeof value === "string" || typeof value === "number" ? [value] : value, field);

const orient: Check<NonNullable<FileOptions["orient"]>> = (value, field) =>
  among(ORIENTS)(value === "rows" ? "records" : value === "columnar" ? "columns" : value, field);

type Own = { readonly [K in keyof FileOptions]-?: OwnOption<NonNullable<FileOptions[K]>> };

/** A row of the table, in the order in which it is read. */
const row = <T>(check: Check<T>, takes: string, means: string, unsaid: string): OwnOption<T> => ({ check, takes, means, unsaid });

const YES_NO = "true, false";

export const OWN_OPTIONS: Own = {
  format: row(among(FORMATS), FORMATS.join(", "), "what the file is", "found out from its bytes and name"),
  compression: row(among(COMPRESSIONS), COMPRESSIONS.join(", "), "what it is compressed with", "found out from its bytes"),
  encoding: row(encoding, "a WHATWG or Python name", "the encoding of a text; Latin-1 is read as Windows-1252", "found out from its bytes"),
  delimiter: row(delimiter, "1 to 16 characters", "what stands between cells; `\\s+` is any run of spaces and tabs", "found out"),
  quote: row(charOrFalse, "one ASCII character, false", "what a cell is quoted with; false: nothing", "found out: `\"` or `'`"),
  escape: row(charOrFalse, "one ASCII character, false", "takes the meaning of the character after it", "false"),
  double_quote: row(bool, YES_NO, "two quotes in a quoted cell are one", "true"),
  comment: row(shortText, "1 to 16 characters", "from it on the rest of a line is left out, unless it is quoted", "no comments"),
  line_terminator: row(lineEnd, "1 to 16 characters", "what ends a record", "CRLF, LF or CR, mixed at will"),
  newlines_in_values: row(bool, YES_NO, "quoted cells may hold line ends; false: such a record is rejected", "true"),
  strip: row(bool, YES_NO, "white space around unquoted cells is left out", "false"),
  skip_initial_space: row(bool, YES_NO, "spaces after a delimiter are left out", "false"),
  skip_blank_lines: row(bool, YES_NO, "blank lines are no rows; false: they are rows of nulls", "true"),
  ragged: row(among(RAGGED_RULES), RAGGED_RULES.join(", "), "what becomes of a row with too few or too many cells", "as `on_bad_row` says"),
  header: row(bool, "true, false, or a number: `header_row`", "whether there is a header", "found out; true when in doubt"),
  header_row: row(count, "a number from 0", "rows (blank lines are none) left out between `skip_rows` and the header", "0"),
  header_rows: row(countFrom(1, 16), "1 to 16", "how many rows the header has; the texts of a column are joined by `_`", "1"),
  skip_rows: row(count, "a number from 0", "physical rows left out at the start, blank ones too", "0; rows before a table are found out"),
  skip_row_numbers: row(rowNumbers, "a list of numbers from 0", "physical rows left out wherever they are", "none"),
  skip_rows_after_header: row(count, "a number from 0", "rows left out after the header, blank ones too", "0"),
  skip_footer: row(countFrom(0, 100_000), "0 to 100,000", "rows left out at the end", "0"),
  max_rows: row(count, "a number from 0", "at most so many rows are loaded", "all"),
  column_names: row(
    names,
    "a list of names",
    "the columns' names; without `header` the file has no header, with it they take its place",
    "the header's",
  ),
  generated_names: row(
    among(GENERATED_NAMES),
    GENERATED_NAMES.join(", "),
    "how columns without a name are called, by the first of them",
    "column_1",
  ),
  include_columns: row(namesOrPositions, "a list of names in the file and positions from 0", "only these columns", "all"),
  include_missing_columns: row(
    bool,
    YES_NO,
    "a column of `include_columns` that the file lacks is one of nulls; false: the file fails",
    "false",
  ),
  column_mapping: row(renames, "an object: name in the file, new name", "renames columns", "names as they are"),
  column_types: row(columnTypes, "an object: name, type", "types of columns, by their new names", "found out"),
  default_type: row(columnType, "a type", "the type of every column that `column_types` does not name", "found out"),
  null_values: row(texts, "a list of texts", "cells that mean null beside the empty unquoted one", "none"),
  keep_default_nulls: row(bool, YES_NO, "the texts that pandas takes for null mean null too", "false"),
  strings_can_be_null: row(bool, YES_NO, 'false: in a column of text an empty cell is "" and the texts for null are texts', "true"),
  quoted_strings_can_be_null: row(
    bool,
    YES_NO,
    "true: quoted cells mean null like unquoted ones; false: never",
    'the texts for null do, "" does not',
  ),
  true_values: row(texts, "a list of texts", "mean true beside true, True, TRUE", "none"),
  false_values: row(texts, "a list of texts", "mean false beside false, False, FALSE", "none"),
  decimal: row(oneChar, "one ASCII character", "stands before a fraction", "`.`; a decimal comma is found out"),
  thousands: row(oneChar, "one ASCII character", "stands between groups of digits", "none"),
  timestamp_formats: row(
    formats,
    `a list of strptime formats and ${ISO8601}`,
    "the forms of dates and times, tried in order; no other form is one",
    ISO8601,
  ),
  day_first: row(bool, YES_NO, "true: 13/01/2026 is a date; false: 01/13/2026 is one", "both are text"),
  infer_dates: row(bool, YES_NO, "false: dates and times stay text unless a type is asked for", "true"),
  tables: row(
    among(TABLE_RULES),
    TABLE_RULES.join(", "),
    "what becomes of several tables in a file",
    "union where columns agree, else by_name",
  ),
  sheets: row(sheets, "a name, a position from 0, a list of them", "the sheets (zip members, tables) to read", "all"),
  orient: row(orient, `${ORIENTS.join(", ")} (rows, columnar)`, "how rows lie in a JSON text", "found out"),
  lines: row(bool, YES_NO, "JSON: one value a line; false: one value in all", "found out"),
  nested: row(among(NESTED_RULES), NESTED_RULES.join(", "), "lists and structs stay nested, or become columns `a.b` and JSON text", "keep"),
  lineage: row(bool, YES_NO, "adds the columns _file_id, _row and _loaded_at", "false"),
  rescued: row(
    bool,
    YES_NO,
    "adds the column _rescued: what of a row fits no column, as JSON; cells that `ragged` cuts off are not in it",
    "false",
  ),
};

export type OptionKey = keyof FileOptions;

export function isOwnOption(name: string): name is OptionKey {
  return Object.hasOwn(OWN_OPTIONS, name);
}
