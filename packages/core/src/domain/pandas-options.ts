import { type ForeignOption, type ForeignTable, listed, onlyAs, refused, renamed, withoutEffect } from "./foreign-options.ts";
import {
  among,
  bool,
  charOrFalse,
  columnType,
  columnTypes,
  count,
  countFrom,
  names,
  namesOrPositions,
  refuse,
  rowNumbers,
  shown,
  texts,
} from "./option-values.ts";
import type { FileOptions } from "./options.ts";
import { BLANKS, OWN_OPTIONS } from "./own-options.ts";
import { MAX_COLUMNS } from "./table-schema.ts";

const YES_NO = "true, false";
const NO_FUNCTIONS = "functions do not travel";
const ONE_PASS = "a file is read once, as a whole";

const sep: ForeignOption = {
  ...renamed("delimiter", OWN_OPTIONS.delimiter.check, `a text of 1 to 16 characters, ${BLANKS}`),
  read: (value, field) => ({ delimiter: OWN_OPTIONS.delimiter.check(value === "\\t" ? "\t" : value, field) }),
};

const usecols: ForeignOption = {
  takes: 'Excel\'s letters ("A:E,G"), a list of names or of positions from 0',
  becomes: "`include_columns`",
  read: (value, field) => {
    if (typeof value === "string") return { include_columns: lettersToPositions(value, field) };
    if (!Array.isArray(value))
      return refuse(field, `${NO_FUNCTIONS}: must be letters such as A:E,G or a list of names or positions`, value);
    return { include_columns: namesOrPositions(value, field) };
  },
};

/** "A:C,E" as 0, 1, 2, 4. */
function lettersToPositions(text: string, field: string): number[] {
  const positions = new Set<number>();
  for (const piece of text.split(",")) {
    const [, first = "", last = first] = /^\s*([A-Za-z]{1,3})(?:\s*:\s*([A-Za-z]{1,3}))?\s*$/.exec(piece) ?? [];
    const from = columnOf(first);
    const to = columnOf(last);
    if (first === "" || to < from || to >= MAX_COLUMNS) {
      refuse(field, `must be columns by their letters, such as A:E,G, within ${MAX_COLUMNS} columns`, text);
    }
    for (let at = from; at <= to; at++) positions.add(at);
  }
  return [...positions].toSorted((a, b) => a - b);
}

function columnOf(letters: string): number {
  let at = 0;
  for (const letter of letters.toUpperCase()) at = at * 26 + letter.charCodeAt(0) - 64;
  return at - 1;
}

const skiprows: ForeignOption = {
  takes: "a number from 0, a list of row numbers from 0",
  becomes: "`skip_rows`, `skip_row_numbers`",
  read: (value, field) => {
    if (Array.isArray(value)) return value.length === 0 ? {} : { skip_row_numbers: rowNumbers(value, field) };
    if (typeof value === "string") return refuse(field, `${NO_FUNCTIONS}: must be a number or a list of numbers`, value);
    return { skip_rows: count(value, field) };
  },
};

const dtype: ForeignOption = {
  takes: "the name of a type, an object: name, type",
  becomes: "`default_type`, `column_types`",
  read: (value, field) => {
    if (value === true) return {};
    if (typeof value === "string") return { default_type: columnType(value, field) };
    return { column_types: columnTypes(value, field) };
  },
};

const naValues: ForeignOption = {
  takes: "a text, a number, a list of them",
  becomes: "`null_values`, and `keep_default_nulls` unless `keep_default_na` is false",
  read: (value, field, beside) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length === 1 && typeof list[0] === "object")
      return refuse(field, "must hold for all columns: a text, a number or a list of them", value);
    const all = list.map((item) => (typeof item === "number" ? String(item) : item));
    const said = beside["keep_default_na"] ?? beside["keep_default_nulls"] ?? beside["na_filter"];
    return { null_values: texts(all, field), ...(typeof said === "boolean" ? {} : { keep_default_nulls: true }) };
  },
};

const parseDates: ForeignOption = {
  takes: "true, false, a list of names or positions",
  becomes: "`infer_dates`: dates are found in every column",
  read: (value, field) => {
    if (typeof value === "boolean") return { infer_dates: value };
    if (Array.isArray(value) && value.every((item) => typeof item === "string" || Number.isSafeInteger(item))) return { infer_dates: true };
    return refuse(field, "must be true, false or a list of columns: columns are not put together into one", value);
  },
};

const dateFormat: ForeignOption = {
  takes: "a strptime format, ISO8601",
  becomes: "`timestamp_formats`",
  read: (value, field) => {
    if (typeof value !== "string") return refuse(field, "must be one strptime format for all columns", value);
    return { timestamp_formats: OWN_OPTIONS.timestamp_formats.check([value], field) };
  },
};

const QUOTINGS = ["QUOTE_MINIMAL", "QUOTE_ALL", "QUOTE_NONNUMERIC", "QUOTE_NONE"];

const quoting: ForeignOption = {
  takes: "0, 1, 3 (QUOTE_MINIMAL, QUOTE_ALL, QUOTE_NONE)",
  becomes: "3: `quote` false",
  read: (value, field) => {
    const said = typeof value === "string" ? QUOTINGS.indexOf(value.replace(/^csv\./, "")) : value;
    if (said === 0 || said === 1) return {};
    return said === 3 ? { quote: false } : refuse(field, "must be 0, 1 or 3 (QUOTE_MINIMAL, QUOTE_ALL or QUOTE_NONE)", value);
  },
};

const badLines: ForeignOption = {
  takes: "error, warn, skip",
  becomes: "`ragged` fail, reject, reject",
  read: (value, field) => {
    if (typeof value !== "string") return refuse(field, `${NO_FUNCTIONS}: must be error, warn or skip`, value);
    return { ragged: among(["error", "warn", "skip"])(value, field) === "error" ? "fail" : "reject" };
  },
};

const switched = (yes: FileOptions, no: FileOptions, becomes: string): ForeignOption => ({
  takes: YES_NO,
  becomes,
  read: (value, field) => (bool(value, field) ? yes : no),
});

const anyText = (value: unknown, field: string): string =>
  typeof value === "string" && value.length <= 100 ? value : refuse(field, "must be a text", shown(value));

/** pandas' and cudf's names for csv, pandas' for Excel and JSON. null means that nothing is said. */
export const PANDAS_OPTIONS: ForeignTable = {
  sep,
  names: listed("column_names", names, "a list of names"),
  usecols,
  dtype,
  skiprows,
  skipfooter: renamed("skip_footer", countFrom(0, 100_000), "0 to 100,000"),
  nrows: renamed("max_rows", count, "a number from 0"),
  na_values: naValues,
  keep_default_na: renamed("keep_default_nulls", bool, YES_NO),
  na_filter: switched(
    {},
    { keep_default_nulls: false, strings_can_be_null: false },
    "false: `keep_default_nulls` and `strings_can_be_null` false",
  ),
  parse_dates: parseDates,
  date_format: dateFormat,
  dayfirst: renamed("day_first", bool, YES_NO),
  quotechar: renamed("quote", charOrFalse, "one ASCII character"),
  quoting,
  doublequote: renamed("double_quote", bool, YES_NO),
  escapechar: renamed("escape", charOrFalse, "one ASCII character"),
  lineterminator: renamed("line_terminator", OWN_OPTIONS.line_terminator.check, "1 to 16 characters"),
  skipinitialspace: renamed("skip_initial_space", bool, YES_NO),
  delim_whitespace: switched({ delimiter: BLANKS }, {}, `true: \`delimiter\` \`${BLANKS}\``),
  on_bad_lines: badLines,
  error_bad_lines: switched({ ragged: "fail" }, { ragged: "reject" }, "`ragged` fail, reject"),
  sheet_name: {
    takes: "a name, a position from 0, a list of them; null: all",
    becomes: "`sheets`",
    read: (value, field) => ({ sheets: OWN_OPTIONS.sheets.check(value, field) }),
  },
  convert_dates: switched({ infer_dates: true }, { infer_dates: false }, "`infer_dates`"),
  index_col: onlyAs([false], "every column is data, none is an index"),
  mangle_dupe_cols: onlyAs([true], "names are always made unique: a, a_1"),
  encoding_errors: onlyAs(["strict"], "no character is ever replaced"),
  iterator: onlyAs([false], ONE_PASS),
  chunksize: onlyAs([], ONE_PASS),
  squeeze: onlyAs([false], "a table stays a table"),
  keep_date_col: onlyAs([false], "columns are not put together into one"),
  prefix: onlyAs([], "see generated_names"),
  typ: onlyAs(["frame"], "a table stays a table"),
  byte_range: refused("a range of bytes cannot be read: rows are chosen by skip_rows and max_rows"),
  converters: refused(`${NO_FUNCTIONS}: see column_types`),
  date_parser: refused(`${NO_FUNCTIONS}: see timestamp_formats`),
  dialect: refused("a dialect is said by delimiter, quote, escape, double_quote and skip_initial_space"),
  date_unit: refused("numbers are not taken for dates"),
  storage_options: refused("a file comes as bytes or by a link"),
  engine: withoutEffect(anyText, "a text", "there is one reader a format"),
  engine_kwargs: refused("there is one reader a format"),
  dtype_backend: withoutEffect(anyText, "a text", "types are our own"),
  float_precision: withoutEffect(anyText, "a text", "every digit is kept"),
  precise_float: withoutEffect(bool, YES_NO, "every digit is kept"),
  low_memory: withoutEffect(bool, YES_NO, "memory does not grow with the file"),
  memory_map: withoutEffect(bool, YES_NO, "memory does not grow with the file"),
  verbose: withoutEffect(bool, YES_NO, "the account says it all"),
  warn_bad_lines: withoutEffect(bool, YES_NO, "rejects are always told"),
  infer_datetime_format: withoutEffect(bool, YES_NO, "a column's values decide"),
  cache_dates: withoutEffect(bool, YES_NO, "it is a question of speed"),
  convert_float: withoutEffect(bool, YES_NO, "a column's values decide"),
  convert_axes: withoutEffect(bool, YES_NO, "a column's values decide"),
  keep_default_dates: withoutEffect(bool, YES_NO, "a column's values decide"),
};

/** pandas writes some options that have our names in other ways; what is none of those is returned as it is. */
export function pandasForms(name: string, value: unknown, field: string): FileOptions | null {
  if (name === "header") return headerForm(value, field);
  if (name === "compression") {
    if (value === "infer") return {};
    if (typeof value === "object" && value !== null && "method" in value) {
      if (Object.keys(value).length > 1) return refuse(field, "only its method can be said", value);
      return value.method === "infer" ? {} : { compression: OWN_OPTIONS.compression.check(value.method, `${field}.method`) };
    }
  }
  return null;
}

/** null: none; "infer": not said; 2: the row with that number; [0, 1]: two rows. */
function headerForm(value: unknown, field: string): FileOptions | null {
  if (value === null) return { header: false };
  if (value === "infer") return {};
  if (typeof value === "number") return { header: true, header_row: count(value, field) };
  if (!Array.isArray(value)) return null;
  const rows = rowNumbers(value, field);
  const first = rows[0];
  if (first === undefined || rows.length > 16 || rows.some((row, i) => row !== first + i)) {
    return refuse(field, "must be one to 16 rows that follow each other", value);
  }
  return { header: true, header_row: first, header_rows: rows.length };
}
