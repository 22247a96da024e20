import { expect, test } from "vitest";
import { Fault } from "./fault.ts";
import { parseMaxRejects, parseOnBadRow, parsePolicy } from "./options.ts";
import { OWN_OPTIONS } from "./own-options.ts";
import { fileOptionsToJson, parseFileOptions } from "./parse-options.ts";
import { withPyarrowDefaults } from "./pyarrow-options.ts";

function refusal(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("it was taken");
}

/** One value for each option there is. */
const ALL: Record<string, unknown> = {
  format: "csv",
  compression: "gzip",
  encoding: "utf-16le",
  delimiter: "||",
  quote: "'",
  escape: "\\",
  double_quote: false,
  comment: "#",
  line_terminator: "\r\n",
  newlines_in_values: false,
  strip: true,
  skip_initial_space: true,
  skip_blank_lines: false,
  ragged: "fill",
  header: true,
  header_row: 2,
  header_rows: 2,
  skip_rows: 3,
  skip_row_numbers: [5, 7],
  skip_rows_after_header: 1,
  skip_footer: 2,
  max_rows: 100,
  column_names: ["a", "__proto__"],
  generated_names: "f0",
  include_columns: ["a", 1],
  include_missing_columns: true,
  column_mapping: { a: "b" },
  column_types: { id: "int64", price: "decimal(10,2)" },
  default_type: "text",
  null_values: ["NA", ""],
  keep_default_nulls: true,
  strings_can_be_null: false,
  quoted_strings_can_be_null: true,
  true_values: ["yes"],
  false_values: ["no"],
  decimal: ",",
  thousands: ".",
  timestamp_formats: ["%d.%m.%Y", "ISO8601"],
  day_first: true,
  infer_dates: true,
  tables: "union",
  sheets: ["all", 0],
  orient: "columns",
  lines: false,
  nested: "flatten",
  lineage: true,
  rescued: true,
};

test("options survive their JSON, all of them", () => {
  expect(Object.keys(ALL)).toEqual(Object.keys(OWN_OPTIONS));
  const options = parseFileOptions(ALL);
  expect(options.column_types?.["price"]).toEqual({ kind: "decimal", precision: 10, scale: 2 });
  const json = JSON.parse(JSON.stringify(fileOptionsToJson(options))) as unknown;
  expect(json).toEqual(ALL);
  expect(parseFileOptions(json)).toEqual(options);
});

test("options of records that are older than most options stay readable", () => {
  const old = {
    format: "tsv",
    compression: "none",
    delimiter: "\t",
    quote: false,
    header: false,
    skip_rows: 3,
    null_values: ["NA"],
    lineage: true,
  };
  expect(fileOptionsToJson(parseFileOptions(old))).toEqual(old);
});

test("no options are no options", () => {
  for (const none of [undefined, null, {}]) expect(parseFileOptions(none)).toEqual({});
  const nothing = Object.fromEntries(Object.keys(ALL).map((name) => [name, null]));
  expect(parseFileOptions({ ...nothing, sep: null, dtype: null, read_options: null, parse_options: { delimiter: null } })).toEqual({
    header: false,
  });
  expect(fileOptionsToJson({})).toEqual({});
});

test("pandas' null header is no header", () => {
  expect(parseFileOptions({ header: null })).toEqual({ header: false });
});

test.each([
  [{ delimeter: "," }, "unknown_field", "options.delimeter"],
  [JSON.parse('{"__proto__": 1}') as object, "unknown_field", "options.__proto__"],
  [{ constructor: 1 }, "unknown_field", "options.constructor"],
  [{ format: "cvs" }, "invalid_field", "options.format"],
  [{ format: ["csv"] }, "invalid_field", "options.format"],
  [{ compression: "lz4" }, "invalid_field", "options.compression"],
  [{ compression: { method: "gzip", mtime: 1 } }, "invalid_field", "options.compression"],
  [{ encoding: "klingon" }, "invalid_field", "options.encoding"],
  [{ encoding: 7 }, "invalid_field", "options.encoding"],
  [{ encoding: "hz-gb-2312" }, "invalid_field", "options.encoding"],
  [{ delimiter: "" }, "invalid_field", "options.delimiter"],
  [{ delimiter: "\n" }, "invalid_field", "options.delimiter"],
  [{ delimiter: "x".repeat(17) }, "invalid_field", "options.delimiter"],
  [{ sep: "[,;]" }, "invalid_field", "options.sep"],
  [{ quote: true }, "invalid_field", "options.quote"],
  [{ quote: "ab" }, "invalid_field", "options.quote"],
  [{ quote: ";", delimiter: ";" }, "invalid_field", "options.quote"],
  [{ quotechar: ";", sep: ";" }, "invalid_field", "options.quotechar"],
  [{ escape: true }, "invalid_field", "options.escape"],
  [{ double_quote: 1 }, "invalid_field", "options.double_quote"],
  [{ comment: "" }, "invalid_field", "options.comment"],
  [{ comment: "#", quote: "#" }, "invalid_field", "options.comment"],
  [{ line_terminator: "" }, "invalid_field", "options.line_terminator"],
  [{ ragged: "ignore" }, "invalid_field", "options.ragged"],
  [{ header: "true" }, "invalid_field", "options.header"],
  [{ header: -1 }, "invalid_field", "options.header"],
  [{ header: [0, 2] }, "invalid_field", "options.header"],
  [{ header: [] }, "invalid_field", "options.header"],
  [{ header: false, header_rows: 2 }, "invalid_field", "options.header_rows"],
  [{ header_rows: 0 }, "invalid_field", "options.header_rows"],
  [{ header_rows: 17 }, "invalid_field", "options.header_rows"],
  [{ skip_rows: -1 }, "invalid_field", "options.skip_rows"],
  [{ skip_rows: 1.5 }, "invalid_field", "options.skip_rows"],
  [{ skip_rows: "3" }, "invalid_field", "options.skip_rows"],
  [{ skip_row_numbers: [1, -1] }, "invalid_field", "options.skip_row_numbers[1]"],
  [{ skip_footer: 100_001 }, "invalid_field", "options.skip_footer"],
  [{ max_rows: 2 ** 53 }, "invalid_field", "options.max_rows"],
  [{ column_names: [] }, "invalid_field", "options.column_names"],
  [{ column_names: ["a", ""] }, "invalid_field", "options.column_names[1]"],
  [{ column_names: ["a", "a"] }, "invalid_field", "options.column_names"],
  [{ include_columns: [16_384] }, "invalid_field", "options.include_columns[0]"],
  [{ include_columns: "a" }, "invalid_field", "options.include_columns"],
  [{ column_mapping: { a: "x", b: "x" } }, "invalid_field", "options.column_mapping"],
  [{ column_mapping: { a: "" } }, "invalid_field", "options.column_mapping.a"],
  [{ null_values: "NA" }, "invalid_field", "options.null_values"],
  [{ null_values: Array.from({ length: 1_001 }, () => "x") }, "invalid_field", "options.null_values"],
  [{ null_values: ["a", 1] }, "invalid_field", "options.null_values[1]"],
  [{ true_values: ["1", "y"], false_values: ["y"] }, "invalid_field", "options.false_values"],
  [{ decimal: ",", thousands: "," }, "invalid_field", "options.thousands"],
  [{ decimal: "é" }, "invalid_field", "options.decimal"],
  [{ timestamp_formats: ["%Y-%m"] }, "invalid_field", "options.timestamp_formats[0]"],
  [{ timestamp_formats: ["ISO8601", "%Q"] }, "invalid_field", "options.timestamp_formats[1]"],
  [{ timestamp_formats: ["%d/%m/%Y %I:%M"] }, "invalid_field", "options.timestamp_formats[0]"],
  [{ day_first: "yes" }, "invalid_field", "options.day_first"],
  [{ column_types: ["int64"] }, "invalid_field", "options.column_types"],
  [{ column_types: { id: "integr" } }, "invalid_field", "options.column_types.id"],
  [{ column_types: { id: 7 } }, "invalid_field", "options.column_types.id"],
  [{ dtype: "complex128" }, "invalid_field", "options.dtype"],
  [{ dtype: false }, "invalid_field", "options.dtype"],
  [{ tables: "all" }, "invalid_field", "options.tables"],
  [{ sheets: [] }, "invalid_field", "options.sheets"],
  [{ sheet_name: -1 }, "invalid_field", "options.sheet_name[0]"],
  [{ orient: "sideways" }, "invalid_field", "options.orient"],
  [{ lines: 1 }, "invalid_field", "options.lines"],
  [{ usecols: "A:XFE" }, "invalid_field", "options.usecols"],
  [{ usecols: "lambda c: c" }, "invalid_field", "options.usecols"],
  [{ usecols: { call: "x" } }, "invalid_field", "options.usecols"],
  [{ skiprows: "lambda i: i % 2" }, "invalid_field", "options.skiprows"],
  [{ converters: { a: "int" } }, "invalid_field", "options.converters"],
  [{ date_parser: "f" }, "invalid_field", "options.date_parser"],
  [{ on_bad_lines: { call: "f" } }, "invalid_field", "options.on_bad_lines"],
  [{ quoting: 2 }, "invalid_field", "options.quoting"],
  [{ index_col: 0 }, "invalid_field", "options.index_col"],
  [{ mangle_dupe_cols: false }, "invalid_field", "options.mangle_dupe_cols"],
  [{ chunksize: 10 }, "invalid_field", "options.chunksize"],
  [{ parse_dates: [["a", "b"]] }, "invalid_field", "options.parse_dates"],
  [{ na_values: { a: ["x"] } }, "invalid_field", "options.na_values"],
  [{ byte_range: [0, 10] }, "invalid_field", "options.byte_range"],
  [{ read_options: { skiprows: 1 } }, "unknown_field", "options.read_options.skiprows"],
  [{ read_options: [] }, "invalid_field", "options.read_options"],
  [{ parse_options: { delimiter: ", " } }, "invalid_field", "options.parse_options.delimiter"],
  [{ parse_options: { invalid_row_handler: { call: "f" } } }, "invalid_field", "options.parse_options.invalid_row_handler"],
  [{ convert_options: { column_types: { a: "list<int>" } } }, "invalid_field", "options.convert_options.column_types.a"],
  [{ sep: ";", delimiter: "," }, "invalid_field", "options.delimiter"],
  [{ skip_rows: 1, read_options: { skip_rows: 2 } }, "invalid_field", "options.read_options.skip_rows"],
  [{ names: ["a"], column_names: ["b"] }, "invalid_field", "options.column_names"],
  [{ quoting: 3, quote: '"' }, "invalid_field", "options.quote"],
  [[], "invalid_field", "options"],
  ["csv", "invalid_field", "options"],
] as const)("%j is refused: %s at %s", (given, code, field) => {
  const fault = refusal(() => parseFileOptions(given));
  expect([fault.code, fault.detail.field]).toEqual([code, field]);
  expect(fault.message.startsWith(field)).toBe(true);
});

test("a contradiction names both options and both values", () => {
  expect(refusal(() => parseFileOptions({ delimiter: ",", sep: ";" })).message).toBe(
    "options.sep: contradicts options.delimiter: they mean the same, and one says ,",
  );
  expect(parseFileOptions({ delimiter: ";", sep: ";", parse_options: { delimiter: ";" } })).toEqual({ delimiter: ";" });
});

test("a refused function says that functions do not travel", () => {
  for (const given of [{ converters: { a: "f" } }, { date_parser: "f" }, { usecols: { f: 1 } }, { on_bad_lines: 1 }, { skiprows: "f" }]) {
    expect(refusal(() => parseFileOptions(given)).message).toContain("functions do not travel");
  }
});

test.each([
  [{ sep: "\\t" }, { delimiter: "\t" }],
  [{ sep: "\\s+" }, { delimiter: "\\s+" }],
  [{ delim_whitespace: true }, { delimiter: "\\s+" }],
  [
    { names: ["a", "b"], header: 0 },
    { column_names: ["a", "b"], header: true, header_row: 0 },
  ],
  [{ header: [1, 2] }, { header: true, header_row: 1, header_rows: 2 }],
  [{ header: "infer", compression: "infer" }, {}],
  [{ compression: { method: "zip" } }, { compression: "zip" }],
  [{ usecols: "A:C,AA, e" }, { include_columns: [0, 1, 2, 4, 26] }],
  [{ usecols: [2, 0] }, { include_columns: [2, 0] }],
  [
    { skiprows: 2, nrows: 10, skipfooter: 1 },
    { skip_rows: 2, max_rows: 10, skip_footer: 1 },
  ],
  [{ skiprows: [3, 1] }, { skip_row_numbers: [1, 3] }],
  [{ dtype: "str" }, { default_type: { kind: "text" } }],
  [{ dtype: { a: "Int64", b: "float32" } }, { column_types: { a: { kind: "int64" }, b: { kind: "double" } } }],
  [{ na_values: "-" }, { null_values: ["-"], keep_default_nulls: true }],
  [
    { na_values: ["-", -999], keep_default_na: false },
    { null_values: ["-", "-999"], keep_default_nulls: false },
  ],
  [{ na_filter: false }, { keep_default_nulls: false, strings_can_be_null: false }],
  [
    { parse_dates: ["d"], dayfirst: true, date_format: "%d/%m/%Y" },
    { infer_dates: true, day_first: true, timestamp_formats: ["%d/%m/%Y"] },
  ],
  [{ quoting: "csv.QUOTE_NONE" }, { quote: false }],
  [
    { quotechar: "'", escapechar: "\\", doublequote: false },
    { quote: "'", escape: "\\", double_quote: false },
  ],
  [{ encoding: "latin1" }, { encoding: "windows-1252" }],
  [{ encoding: "utf_8_sig" }, { encoding: "utf-8" }],
  [{ encoding: "cp1250" }, { encoding: "windows-1250" }],
  [{ encoding: "iso8859_15" }, { encoding: "iso-8859-15" }],
  [{ sheet_name: 0 }, { sheets: [0] }],
  [{ sheets: "all" }, { sheets: ["all"] }],
  [{ orient: "rows" }, { orient: "records" }],
  [{ on_bad_lines: "warn" }, { ragged: "reject" }],
  [{ engine: "python", low_memory: false, index_col: false, iterator: false, mangle_dupe_cols: true }, {}],
  [
    { read_options: { use_threads: true, block_size: 1_048_576, skip_rows_after_names: 1, column_names: [] } },
    { skip_rows_after_header: 1 },
  ],
  [{ read_options: { autogenerate_column_names: true, encoding: "utf8" } }, { header: false, generated_names: "f0", encoding: "utf-8" }],
  [{ parse_options: { quote_char: false, ignore_empty_lines: false } }, { quote: false, skip_blank_lines: false }],
  [{ parse_options: { invalid_row_handler: "error" } }, { ragged: "fail" }],
  [
    { convert_options: { decimal_point: ",", timestamp_parsers: ["ISO8601", "%d.%m.%Y"], include_columns: ["a"] } },
    { decimal: ",", timestamp_formats: ["ISO8601", "%d.%m.%Y"], include_columns: ["a"] },
  ],
])("%j means %j", (given, options) => {
  const parsed = parseFileOptions(given);
  expect(parsed).toEqual(options);
  expect(parseFileOptions(JSON.parse(JSON.stringify(fileOptionsToJson(parsed))))).toEqual(parsed);
});

test.each([
  ["int32", "int64"],
  ["Int64", "int64"],
  ["uint64", "decimal(20,0)"],
  ["datetime64[ns]", "timestamp_ns"],
  ["datetime64[us, UTC]", "timestamptz"],
  ["timestamp[ms]", "timestamp"],
  ["timestamp[us, tz=Europe/Paris]", "timestamptz"],
  ["decimal128(10, 2)", "decimal(10,2)"],
  ["date32[day]", "date"],
  ["time64[us]", "time"],
  ["string[pyarrow]", "text"],
  ["object", "text"],
  ["category", "text"],
  ["boolean", "bool"],
  ["float", "double"],
  ["large_binary", "binary"],
])("pandas' and pyarrow's type %s is %s", (given, ours) => {
  expect(fileOptionsToJson(parseFileOptions({ column_types: { a: given } }))).toEqual({ column_types: { a: ours } });
});

test("__proto__ is a column like any other", () => {
  const given = JSON.parse('{"column_types": {"__proto__": "int64"}, "column_mapping": {"constructor": "__proto__"}}') as unknown;
  const options = parseFileOptions(given);
  expect(Object.keys(options.column_types ?? {})).toEqual(["__proto__"]);
  expect(JSON.stringify(fileOptionsToJson(options))).toBe(
    JSON.stringify({ column_mapping: { constructor: "__proto__" }, column_types: { ["__proto__"]: "int64" } }),
  );
});

test("pyarrow's defaults leave what is said", () => {
  const options = withPyarrowDefaults(parseFileOptions({ parse_options: { delimiter: ";" } }));
  expect(options).toMatchObject({ delimiter: ";", quote: '"', header: true, strings_can_be_null: false, newlines_in_values: false });
  expect(withPyarrowDefaults({ column_names: ["a"] }).header).toBeUndefined();
});

test.each([
  [0, { rows: 0 }],
  ["0", { rows: 0 }],
  [100, { rows: 100 }],
  ["100", { rows: 100 }],
  [0.1, { share: 0.1 }],
  ["0.1", { share: 0.1 }],
  ["10%", { share: 0.1 }],
  ["100%", { share: 1 }],
  [1, { rows: 1 }],
])("max_rejects %j is %j", (given, limit) => {
  expect(parseMaxRejects(given)).toEqual(limit);
});

test.each([-1, "-1", 1.5, "101%", "", " ", "ten", null, undefined, Number.NaN, Number.POSITIVE_INFINITY, {}, true, [5]])(
  "max_rejects %j is refused",
  (given) => {
    expect(refusal(() => parseMaxRejects(given)).code).toBe("invalid_field");
  },
);

test("closed lists name themselves when they refuse", () => {
  expect(parsePolicy("strict")).toBe("strict");
  expect(parseOnBadRow("coerce")).toBe("coerce");
  expect(refusal(() => parsePolicy("loose")).message).toContain("strict, evolve, coerce, off");
  expect(refusal(() => parseOnBadRow({ a: 1 })).detail.value).toBe('{"a":1}');
});
