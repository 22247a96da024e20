import type { Scratch } from "../columns/scratch.ts";
import type { ColumnType } from "../domain/table-schema.ts";
import type { Observation } from "../schema/observe.ts";
import type { Misfit, Place } from "./format.ts";

/**
 * The short way from a file to column chunks, for formats that can turn a column's cells into typed values without making
 * texts of them. What it gives is what `OpenedTable.batches` and `coerce` would: a table that has it may be read either way.
 */
export interface DirectTable {
  /** Columns that blocks have; a source column beyond them holds nulls. */
  readonly columns: number;
  /** Its cells are texts, as those of its batches are; else they have kinds of their own. */
  readonly ofTexts?: true;
  /** Begins a pass over the table's rows. */
  open(): DirectPass;
}

export interface DirectPass {
  /** Raw (compressed) bytes of the file consumed so far. */
  readonly rawBytes: number;
  /** The next rows, or null when there are no more. Valid until the next call. Throws content faults. */
  next(): Promise<DirectBlock | null>;
  /** Ends the pass wherever it stands. */
  close(): Promise<void>;
}

/** Some hundreds or thousands of rows whose cells have no type yet. */
export interface DirectBlock {
  readonly rows: number;
  readonly misfits: readonly Misfit[];
  /** Rows that were cut or filled to the table's width. */
  readonly filled: number;
  rowNumber(row: number): number;
  place(row: number): Place;
  /** Leaves rows out, given in ascending order. The other rows keep their numbers. */
  drop(rows: readonly number[]): void;
  /** Values of a source column as `job` wants them. May be called again for the same column. */
  load(column: number, job: LoadJob, out: Scratch): void;
  /** Adds a source column's cells to an observation, as `observe` does. */
  observe(column: number, seen: Observation, textSettles: boolean): void;
}

/** What is to be made of the cells of one column. */
export interface LoadJob {
  readonly type: ColumnType;
  /** As in `CoerceRules`. */
  readonly declared: boolean;
  /** What the cells look like; null where nobody asks. Text is not observed on the way: `observe` does that. */
  readonly seen: Observation | null;
  /** Told of each cell that does not fit; it is null in the result. */
  readonly onBad: (row: number, cell: string) => void;
  /** Digits after the point for which a number's digits are its code. May be raised by `load`, which then sets `newCodes`. */
  codeScale: number;
  newCodes: boolean;
}

/**
 * Thrown by a pass over a table of whose rows only the first were looked at (`OpenedTable.whole`), when a later one has what
 * no column was made for.
 */
export class Unforeseen extends Error {}
