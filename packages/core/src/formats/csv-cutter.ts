import type { Step } from "./csv-records.ts";

/** Cuts a text into records and cells. After `next` its fields tell the record. */
export interface CsvCutter {
  /** The record's cells are cells[0 .. count): null where nothing is written, "" where a cell is quoted and empty. */
  readonly cells: readonly (string | null)[];
  readonly count: number;
  /** The record's first character and the one after its last, without the line's end. */
  readonly start: number;
  readonly end: number;
  /** Physical line, from 1, on which the record begins. */
  readonly startLine: number;
  readonly quoteLine: number;
  /** What is wrong with a broken record. */
  readonly problem: string;
  readonly pos: number;
  /** Text to read from; `final` when nothing follows it. The unread rest of the former text must be its beginning. */
  load(text: string, final: boolean): void;
  next(): Step;
  /** Physical line, from 1, at `pos`. */
  readonly line: number;
  /** Cell by cell, whether it was quoted; absent where nobody asks. */
  readonly quoted?: readonly boolean[];
  /** Says on which physical line the text begins. */
  startAt(line: number): void;
}
