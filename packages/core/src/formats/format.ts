import type { ColumnType } from "../domain/table-schema.ts";
import type { FileOptions, FormatName } from "../domain/options.ts";
import type { ColumnData } from "../schema/column-data.ts";
import type { SourceColumn } from "../schema/enforce.ts";
import type { TextRules } from "../schema/text-rules.ts";
import type { ConvertLimits } from "../domain/convert-limits.ts";
import type { DecodedChunk } from "./decompress.ts";
import type { DirectTable } from "./direct.ts";
import type { Source } from "./source.ts";

/** Bytes -> column batches. One file a format; `registry` lists them. */
export interface Format {
  readonly names: readonly FormatName[];
  /**
   * Reads what is needed to know the tables and their columns. Throws a content fault: `unreadable`, `format_mismatch`
   * or `limit_exceeded`. `batches` of the result may be called again for another pass over the same rows.
   */
  open(input: FormatInput): Promise<OpenedFile>;
}

/** What a format reads from: the file beneath its compression. */
export interface FormatInput {
  readonly name: FormatName;
  /** The decoded bytes in chunks from the start, as often as it is called. Throws as `decode` does. */
  decoded(): AsyncIterable<DecodedChunk>;
  /**
   * Random access to the decoded bytes. What is not compressed is read where it lies; what is must fit in memory as a
   * whole: throws `limit_exceeded` where it does not.
   */
  random(): Promise<Source>;
  /** Raw bytes of the file, to tell progress by. */
  readonly rawSize: number;
  readonly options: FileOptions;
  readonly limits: FormatLimits;
  /** What becomes of a row with too few or too many cells: a misfit, cut and filled with nulls, or the file's failure. */
  readonly ragged: "misfit" | "fill" | "fail";
}

/** The limits of a conversion that its reading has to keep; `chunkBytes` is how much is read at a time. */
export interface FormatLimits extends Omit<ConvertLimits, "partBytes"> {
  readonly chunkBytes: number;
}

/** How a text format was found to be written; its fields are those of `Detected`. */
export interface Dialect {
  readonly delimiter?: string;
  /** "" for none. */
  readonly quote?: string;
  /** "" or absent for none. */
  readonly escape?: string;
  readonly header?: boolean;
  /** Rows that hold the names, where they are more than one. */
  readonly headerRows?: number;
  /** Rows left out before the header because they are no part of the table. */
  readonly preambleRows?: number;
  readonly encoding?: string;
  /** "," where numbers were found to be written with a decimal comma. */
  readonly decimal?: string;
}

export interface OpenedFile {
  readonly dialect: Dialect;
  readonly tables: readonly OpenedTable[];
}

export interface OpenedTable {
  readonly table: string;
  readonly columns: readonly SourceColumn[];
  /** How its cells of text become values; absent: as usual. */
  readonly rules?: TextRules;
  /** Rows, misfits among them, that were looked at before the table's columns were known; absent: none. */
  readonly looked?: number;
  /**
   * The rows from the start, as often as it is called. `feeds`: by source column the type of the table's column that it feeds,
   * where it feeds one; a reader may then give a column of another type as texts, as its values are written.
   */
  batches(feeds?: readonly (ColumnType | null)[]): AsyncIterable<SourceBatch>;
  /** The same rows by the short way, where the format has one for this table. */
  readonly direct?: DirectTable;
  /**
   * Given where only the table's first rows were looked at: the columns may be more than those, and only the short way reads
   * it. Looks at all of it and gives the table as it is.
   */
  whole?(): Promise<OpenedTable>;
  /** Beside `whole`: the rows that were looked at, as a table of their own, for whoever wants no more. */
  readonly sample?: OpenedTable;
}

/** One column of a batch: text that has no type yet, or values that came typed. null is no value; "" is an empty text. */
export type SourceCells = { readonly text: readonly (string | null)[] } | { readonly data: ColumnData };

/** Where a row stands in its file. `row` counts records from 1, `line` physical lines from 1; null where a format has none. */
export interface Place {
  readonly row: number;
  readonly byteOffset: number | null;
  readonly line: number | null;
  /** The record as it was written, or null where it is no text. */
  readonly raw: string | null;
}

/** A record that is no row of its table. */
export interface Misfit extends Place {
  readonly reason: string;
}

/** Some thousands of rows, column by column. Its columns are valid until the next batch is asked for. */
export interface SourceBatch {
  readonly rows: number;
  readonly columns: readonly SourceCells[];
  readonly misfits: readonly Misfit[];
  /** Rows that were cut or filled to the table's width. */
  readonly filled: number;
  /** Values that lost digits which no type of ours has: each is a counted warning. */
  readonly cut: number;
  /** Rows of the table that an option leaves out (max_rows, skip_footer, …): they are in no column; absent: none. */
  readonly skipped?: number;
  /** Record numbers of the rows, ascending; a misfit's number is missing. */
  readonly rowNumbers: readonly number[];
  place(index: number): Place;
  /** Raw (compressed) bytes of the file consumed so far in this pass. */
  readonly rawBytes: number;
}
