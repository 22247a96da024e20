import type { CompressionName, FileOptions, FormatName } from "./options.ts";

/** What was told of a text table when it was loaded; see `Detected`. */
export interface ToldDialect {
  readonly format: FormatName;
  readonly compression?: CompressionName;
  readonly delimiter?: string;
  readonly quote?: string;
  readonly header?: boolean;
  readonly preambleRows?: number;
  readonly encoding?: string;
  readonly decimal?: string;
}

const TEXT_TABLES: ReadonlySet<FormatName> = new Set<FormatName>(["csv", "tsv", "psv"]);

/**
 * Options under which a file is read again as it was read the first time: what was found out then is said now, so that
 * a later version that finds out more does not give its rows other names. What was said stays.
 */
export function pinned(options: FileOptions, told: ToldDialect | null): FileOptions {
  // Of a zip only its first member is told: the others may be written in other ways.
  if (told === null || !TEXT_TABLES.has(told.format) || told.compression === "zip") return options;
  const { delimiter, quote, header, encoding, decimal, preambleRows = 0 } = told;
  const spaced = delimiter !== undefined && options.delimiter === undefined && /^[,;|] $/.test(delimiter);
  return {
    ...(encoding === undefined ? {} : { encoding }),
    ...(delimiter === undefined ? {} : { delimiter: spaced ? delimiter.slice(0, 1) : delimiter }),
    ...(spaced ? { skip_initial_space: true } : {}),
    ...(quote === undefined ? {} : { quote: quote === "" ? (false as const) : quote }),
    ...(decimal === undefined ? {} : { decimal }),
    ...(header === undefined ? {} : { header }),
    ...rowsBefore(options, header ?? true, preambleRows),
    ...options,
  };
}

/** Rows before a header are its place; before a table without one they have to be found again. */
function rowsBefore(options: FileOptions, header: boolean, preambleRows: number): FileOptions {
  if (options.column_names !== undefined || options.skip_row_numbers !== undefined) return {};
  if (header) return { header_row: preambleRows };
  return preambleRows === 0 ? { skip_rows: 0 } : {};
}
