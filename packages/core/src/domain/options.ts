import { DEFAULT_MAX_REJECTS, type MaxRejects, type OnBadRow, ON_BAD_ROW, POLICIES, type SchemaPolicy } from "./dataset.ts";
import { Fault } from "./fault.ts";
import { oneOf } from "./option-values.ts";
import type { ColumnType } from "./table-schema.ts";

export { oneOf };

/** Formats by their name in requests and records. `opaque` is a file stored as it is. */
export const FORMATS = ["csv", "tsv", "psv", "json", "ndjson", "xls", "xlsx", "arrow", "feather", "orc", "parquet", "opaque"] as const;
/** Those that are read today, and `opaque`; the others are known by name and refused until they are. */
export const READ_FORMATS = [
  "csv",
  "tsv",
  "psv",
  "json",
  "ndjson",
  "xls",
  "xlsx",
  "orc",
  "parquet",
  "arrow",
  "feather",
  "opaque",
] as const satisfies readonly (typeof FORMATS)[number][];
export type FormatName = (typeof FORMATS)[number];

export const COMPRESSIONS = ["none", "gzip", "bz2", "zip", "xz", "zstd"] as const;
export const READ_COMPRESSIONS = ["none", "gzip", "bz2", "zip", "xz", "zstd"] as const satisfies readonly (typeof COMPRESSIONS)[number][];
export type CompressionName = (typeof COMPRESSIONS)[number];

/** What becomes of several tables in one file: the first alone, all rows in one table, or each under its own name. */
export const TABLE_RULES = ["first", "union", "by_name"] as const;
export type TableRule = (typeof TABLE_RULES)[number];

/** How rows lie in a JSON text, by pandas' words. */
export const ORIENTS = ["records", "columns", "split", "index", "values", "table"] as const;
export type Orient = (typeof ORIENTS)[number];

/** `keep`: lists, structs and maps stay nested in Parquet; `flatten`: a struct's fields become columns `a.b`, lists become JSON text. */
export const NESTED_RULES = ["keep", "flatten"] as const;
export type NestedRule = (typeof NESTED_RULES)[number];

/** A row with too few or too many cells: rejected, cut and filled with nulls, or the file's failure. */
export const RAGGED_RULES = ["reject", "fill", "fail"] as const;
export type RaggedRule = (typeof RAGGED_RULES)[number];

/** How columns without a name are called, by the first of them: column_1 column_2 …, f0 f1 …, 0 1 … */
export const GENERATED_NAMES = ["column_1", "f0", "0"] as const;
export type GeneratedNames = (typeof GENERATED_NAMES)[number];

/**
 * What a caller may say about one file's content: one model for every surface and format. Absent means: find out, or the
 * default. A format takes what means something to it and passes over the rest. Rows are counted from 0 in options.
 */
export interface FileOptions {
  readonly format?: FormatName;
  readonly compression?: CompressionName;
  /** The text's encoding, by its WHATWG name (`utf-8`, `utf-16le`, `windows-1252`, …). */
  readonly encoding?: string;

  /** What stands between cells: one character or more, or `\\s+` for any run of spaces and tabs. */
  readonly delimiter?: string;
  /** One quote character, or false for none. */
  readonly quote?: string | false;
  /** A character that takes the meaning of the one after it, or false for none. */
  readonly escape?: string | false;
  /** Two quotes in a quoted cell are one (default true). */
  readonly double_quote?: boolean;
  /** From this text on, the rest of a line is left out. */
  readonly comment?: string;
  /** What ends a record; default: CRLF, LF or CR, mixed at will. */
  readonly line_terminator?: string;
  /** Quoted cells may hold line ends (default true); false makes such a record a reject. */
  readonly newlines_in_values?: boolean;
  /** White space around unquoted cells is left out. */
  readonly strip?: boolean;
  /** Spaces after a delimiter are left out. */
  readonly skip_initial_space?: boolean;
  /** Blank lines are no rows (default true); false makes them rows of nulls. */
  readonly skip_blank_lines?: boolean;
  readonly ragged?: RaggedRule;

  /** true: there is a header; false: there is none. Absent: find out where the format can. In JSON a number is `header_row`. */
  readonly header?: boolean;
  /** Rows (blank lines are none) between `skip_rows` and the header that are left out; default 0. */
  readonly header_row?: number;
  /** How many rows the header has (default 1); the texts of a column are joined by `_`. */
  readonly header_rows?: number;
  /** Physical rows left out at the start, blank ones too. */
  readonly skip_rows?: number;
  /** Physical rows to leave out wherever they are, counted from 0 over the whole file or sheet; ascending. */
  readonly skip_row_numbers?: readonly number[];
  /** Rows left out after the header, blank ones too. */
  readonly skip_rows_after_header?: number;
  /** Rows left out at the end. */
  readonly skip_footer?: number;
  /** At most so many rows are loaded; the rest is counted as skipped. */
  readonly max_rows?: number;

  /** The columns' names. Without `header`, the file has no header row; with it, they take its place. */
  readonly column_names?: readonly string[];
  readonly generated_names?: GeneratedNames;
  /** Only these columns, by name as in the file or by position from 0. */
  readonly include_columns?: readonly (string | number)[];
  /** A column of `include_columns` that the file lacks is one of nulls (default false: the file fails). */
  readonly include_missing_columns?: boolean;
  /** New names by the names in the file. */
  readonly column_mapping?: Readonly<Record<string, string>>;
  /** Types by column name, after renaming. */
  readonly column_types?: Readonly<Record<string, ColumnType>>;
  /** The type of every column that `column_types` does not name. */
  readonly default_type?: ColumnType;

  /** Cells that mean null beside the empty unquoted one. */
  readonly null_values?: readonly string[];
  /** The texts that pandas takes for null mean null too (default false). */
  readonly keep_default_nulls?: boolean;
  /** false: in a column of text an empty cell is "" and the null texts are texts (default true). */
  readonly strings_can_be_null?: boolean;
  /** true: quoted cells mean null like unquoted ones, "" too; false: they never do. Default: the null texts do, "" does not. */
  readonly quoted_strings_can_be_null?: boolean;
  /** Texts for true and false beside true True TRUE and false False FALSE. */
  readonly true_values?: readonly string[];
  readonly false_values?: readonly string[];
  /** The character before a fraction (default `.`) and the one between groups of digits (default none). */
  readonly decimal?: string;
  readonly thousands?: string;
  /** strptime formats of dates and times, or `ISO8601`, tried in order; given, no other form is a date. */
  readonly timestamp_formats?: readonly string[];
  /** true: 13/01/2026 is a date; false: 01/13/2026 is one. Absent: neither, both stay text. */
  readonly day_first?: boolean;
  /** false: dates and times stay text unless a type is declared (default true). */
  readonly infer_dates?: boolean;

  readonly tables?: TableRule;
  /** The sheets (or zip members, or tables) to read, by name or by position from 0; default: all. */
  readonly sheets?: readonly (string | number)[];
  readonly orient?: Orient;
  /** JSON: true: one value a line; false: one value in all. Absent: find out. */
  readonly lines?: boolean;
  readonly nested?: NestedRule;
  /** Adds the columns _file_id, _row and _loaded_at. */
  readonly lineage?: boolean;
  /** Adds the column _rescued: what of a row fits no column, as JSON. */
  readonly rescued?: boolean;
}

/** What governs how rows are taken, per dataset, and per sync where it overrides. */
export interface LoadRules {
  readonly policy: SchemaPolicy;
  readonly onBadRow: OnBadRow;
  readonly maxRejects: MaxRejects;
}

export const DEFAULT_RULES: LoadRules = { policy: "evolve", onBadRow: "quarantine", maxRejects: DEFAULT_MAX_REJECTS };

/** A share ("10%", 0.1) or a count of rows (an integer from 1, or 0 for none). Throws `invalid_field`. */
export function parseMaxRejects(value: unknown, field = "max_rejects"): MaxRejects {
  const percent = typeof value === "string" ? /^(\d+(?:\.\d+)?)%$/.exec(value.trim()) : null;
  if (percent) {
    const share = Number(percent[1]) / 100;
    if (share <= 1) return { share };
  }
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && number >= 0) {
    if (Number.isSafeInteger(number)) return { rows: number };
    if (number < 1) return { share: number };
  }
  throw new Fault("invalid_field", `${field}: must be a number of rows, a share below 1 such as 0.1, or a percentage such as 10%`, {
    field,
    value: String(value),
  });
}

export function parsePolicy(value: unknown, field = "policy"): SchemaPolicy {
  return oneOf(POLICIES, value, field);
}

export function parseOnBadRow(value: unknown, field = "on_bad_row"): OnBadRow {
  return oneOf(ON_BAD_ROW, value, field);
}
