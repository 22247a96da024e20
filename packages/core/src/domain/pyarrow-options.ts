import { type ForeignOption, type ForeignTable, listed, renamed, withoutEffect } from "./foreign-options.ts";
import { among, bool, charOrFalse, columnTypes, count, names, namesOrPositions, oneChar, refuse, texts } from "./option-values.ts";
import type { FileOptions } from "./options.ts";
import { OWN_OPTIONS } from "./own-options.ts";

const YES_NO = "true, false";
const CHAR = "one ASCII character";

const READ: ForeignTable = {
  use_threads: withoutEffect(bool, YES_NO, "a file is read by one thread"),
  block_size: withoutEffect(count, "a number from 0", "blocks have a size of our own"),
  skip_rows: renamed("skip_rows", count, "a number from 0"),
  skip_rows_after_names: renamed("skip_rows_after_header", count, "a number from 0"),
  column_names: listed("column_names", names, "a list of names"),
  autogenerate_column_names: {
    takes: YES_NO,
    becomes: "`header` false and `generated_names` f0",
    read: (value, field) => (bool(value, field) ? { header: false, generated_names: "f0" } : {}),
  },
  encoding: renamed("encoding", OWN_OPTIONS.encoding.check, "the name of an encoding"),
};

const invalidRows: ForeignOption = {
  takes: "error, skip",
  becomes: "`ragged` fail, reject",
  read: (value, field) => {
    if (typeof value !== "string") return refuse(field, "functions do not travel: must be error or skip", value);
    return { ragged: among(["error", "skip"])(value, field) === "error" ? "fail" : "reject" };
  },
};

const PARSE: ForeignTable = {
  delimiter: renamed("delimiter", oneChar, CHAR),
  quote_char: renamed("quote", charOrFalse, `${CHAR}, false`),
  double_quote: renamed("double_quote", bool, YES_NO),
  escape_char: renamed("escape", charOrFalse, `${CHAR}, false`),
  newlines_in_values: renamed("newlines_in_values", bool, YES_NO),
  ignore_empty_lines: renamed("skip_blank_lines", bool, YES_NO),
  invalid_row_handler: invalidRows,
};

const CONVERT: ForeignTable = {
  check_utf8: withoutEffect(bool, YES_NO, "text is always checked"),
  column_types: renamed("column_types", columnTypes, "an object: name, type"),
  null_values: renamed("null_values", texts, "a list of texts"),
  true_values: renamed("true_values", texts, "a list of texts"),
  false_values: renamed("false_values", texts, "a list of texts"),
  decimal_point: renamed("decimal", oneChar, CHAR),
  strings_can_be_null: renamed("strings_can_be_null", bool, YES_NO),
  quoted_strings_can_be_null: renamed("quoted_strings_can_be_null", bool, YES_NO),
  include_columns: listed("include_columns", namesOrPositions, "a list of names"),
  include_missing_columns: renamed("include_missing_columns", bool, YES_NO),
  auto_dict_encode: withoutEffect(bool, YES_NO, "the writer chooses"),
  auto_dict_max_cardinality: withoutEffect(count, "a number from 0", "the writer chooses"),
  timestamp_parsers: listed("timestamp_formats", OWN_OPTIONS.timestamp_formats.check, "a list of strptime formats and ISO8601"),
};

/** pyarrow.csv's three groups of options, by their names in a request. */
export const PYARROW_GROUPS: Readonly<Record<string, ForeignTable>> = {
  read_options: READ,
  parse_options: PARSE,
  convert_options: CONVERT,
};

/** The texts that pyarrow takes for null; pandas has these and <NA> and None (see `null-texts.ts`). */
const PYARROW_NULLS = [
  "",
  "#N/A",
  "#N/A N/A",
  "#NA",
  "-1.#IND",
  "-1.#QNAN",
  "-NaN",
  "-nan",
  "1.#IND",
  "1.#QNAN",
  "N/A",
  "NA",
  "NULL",
  "NaN",
  "n/a",
  "nan",
  "null",
];

/** What pyarrow.csv does when nothing is said, in our options. */
export const PYARROW_DEFAULTS: FileOptions = {
  encoding: "utf-8",
  delimiter: ",",
  quote: '"',
  escape: false,
  double_quote: true,
  newlines_in_values: false,
  skip_blank_lines: true,
  null_values: PYARROW_NULLS,
  true_values: ["1", "True", "TRUE", "true"],
  false_values: ["0", "False", "FALSE", "false"],
  strings_can_be_null: false,
  quoted_strings_can_be_null: true,
  decimal: ".",
};

/** Options with pyarrow's defaults for what they do not say: for surfaces whose documents promise pyarrow. */
export function withPyarrowDefaults(options: FileOptions): FileOptions {
  const header = options.header === undefined && options.column_names === undefined ? { header: true } : {};
  return { ...PYARROW_DEFAULTS, ...header, ...options };
}
