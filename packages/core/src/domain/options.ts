import { DEFAULT_MAX_REJECTS, type MaxRejects, type OnBadRow, ON_BAD_ROW, POLICIES, type SchemaPolicy } from "./dataset.ts";
import { Fault } from "./fault.ts";
import { type ColumnType, parseType, typeName } from "./table-schema.ts";

/** Formats by their name in requests and records. `opaque` is a file stored as it is. */
export const FORMATS = ["csv", "tsv", "psv", "json", "ndjson", "xls", "xlsx", "arrow", "feather", "orc", "parquet", "opaque"] as const;
/** Those that are read today, and `opaque`; the others are known by name and refused until they are. */
export const READ_FORMATS = ["csv", "tsv", "psv", "parquet", "opaque"] as const satisfies readonly (typeof FORMATS)[number][];
export type FormatName = (typeof FORMATS)[number];

export const COMPRESSIONS = ["none", "gzip", "bz2", "zip", "xz", "zstd"] as const;
export const READ_COMPRESSIONS = ["none", "gzip"] as const satisfies readonly (typeof COMPRESSIONS)[number][];
export type CompressionName = (typeof COMPRESSIONS)[number];

/** What a caller may say about one file's content. Absent means: find out. */
export interface FileOptions {
  readonly format?: FormatName;
  readonly compression?: CompressionName;
  /** One character between cells. */
  readonly delimiter?: string;
  /** One quote character, or false for none. */
  readonly quote?: string | false;
  /** true: the first row holds the names; false: columns are named column_1, column_2, … */
  readonly header?: boolean;
  /** Rows left out before the header. */
  readonly skip_rows?: number;
  /** Cells that mean null beside the empty unquoted one. */
  readonly null_values?: readonly string[];
  /** Types by column name. */
  readonly column_types?: Readonly<Record<string, ColumnType>>;
  /** Adds the columns _file_id, _row and _loaded_at. */
  readonly lineage?: boolean;
}

/** What governs how rows are taken, per dataset, and per sync where it overrides. */
export interface LoadRules {
  readonly policy: SchemaPolicy;
  readonly onBadRow: OnBadRow;
  readonly maxRejects: MaxRejects;
}

export const DEFAULT_RULES: LoadRules = { policy: "evolve", onBadRow: "quarantine", maxRejects: DEFAULT_MAX_REJECTS };

const KNOWN = ["format", "compression", "delimiter", "quote", "header", "skip_rows", "null_values", "column_types", "lineage"] as const;

/** Checks options from JSON. Throws `invalid_field` or `unknown_field` naming the option. */
export function parseFileOptions(value: unknown, field = "options"): FileOptions {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw new Fault("invalid_field", `${field}: must be a JSON object`, { field });
  const given = value as Record<string, unknown>;
  for (const name of Object.keys(given)) {
    if (!(KNOWN as readonly string[]).includes(name)) {
      throw new Fault("unknown_field", `${field}.${name}: there is no such option; there are ${KNOWN.join(", ")}`, {
        field: `${field}.${name}`,
      });
    }
  }
  const out: { -readonly [K in keyof FileOptions]: FileOptions[K] } = {};
  const at = (name: string) => `${field}.${name}`;
  if (given["format"] !== undefined) out.format = oneOf(FORMATS, given["format"], at("format"));
  if (given["compression"] !== undefined) out.compression = oneOf(COMPRESSIONS, given["compression"], at("compression"));
  if (given["delimiter"] !== undefined) out.delimiter = oneChar(given["delimiter"], at("delimiter"));
  if (given["quote"] !== undefined) out.quote = given["quote"] === false ? false : oneChar(given["quote"], at("quote"));
  if (given["header"] !== undefined) out.header = bool(given["header"], at("header"));
  if (given["lineage"] !== undefined) out.lineage = bool(given["lineage"], at("lineage"));
  if (given["skip_rows"] !== undefined) out.skip_rows = count(given["skip_rows"], at("skip_rows"));
  if (given["null_values"] !== undefined) out.null_values = texts(given["null_values"], at("null_values"));
  if (given["column_types"] !== undefined) out.column_types = types(given["column_types"], at("column_types"));
  if (out.delimiter !== undefined && out.delimiter === out.quote) {
    throw new Fault("invalid_field", `${at("quote")}: must differ from the delimiter`, { field: at("quote"), value: out.delimiter });
  }
  return out;
}

/** Options as JSON: the reverse of `parseFileOptions`. */
export function fileOptionsToJson(options: FileOptions): Record<string, unknown> {
  const { column_types: columnTypes, ...rest } = options;
  if (!columnTypes) return { ...rest };
  return { ...rest, column_types: Object.fromEntries(Object.entries(columnTypes).map(([name, type]) => [name, typeName(type)])) };
}

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

/** The value as one of a closed list. Throws `invalid_field` naming the list. */
export function oneOf<const T extends string>(list: readonly T[], value: unknown, field: string): T {
  if (typeof value === "string" && (list as readonly string[]).includes(value)) return value as T;
  throw new Fault("invalid_field", `${field}: must be one of ${list.join(", ")}`, {
    field,
    value: typeof value === "string" ? value : (JSON.stringify(value) ?? null),
  });
}

function oneChar(value: unknown, field: string): string {
  if (typeof value === "string" && /^[\t\u0020-\u007e]$/.test(value)) return value;
  throw new Fault("invalid_field", `${field}: must be one ASCII character`, { field, value: String(value) });
}

function bool(value: unknown, field: string): boolean {
  if (typeof value === "boolean") return value;
  throw new Fault("invalid_field", `${field}: must be true or false`, { field, value: String(value) });
}

function count(value: unknown, field: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Fault("invalid_field", `${field}: must be a whole number from 0`, { field, value: String(value) });
}

function texts(value: unknown, field: string): string[] {
  if (Array.isArray(value) && value.length <= 100 && value.every((v) => typeof v === "string")) return value;
  throw new Fault("invalid_field", `${field}: must be a list of at most 100 texts`, { field });
}

function types(value: unknown, field: string): Record<string, ColumnType> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Fault("invalid_field", `${field}: must be an object of column names and types`, { field });
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, type]) => {
      if (typeof type !== "string")
        throw new Fault("invalid_field", `${field}.${name}: must be the name of a type`, { field: `${field}.${name}` });
      return [name, parseType(type, `${field}.${name}`)];
    }),
  );
}
