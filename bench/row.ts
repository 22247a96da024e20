/** One line of the table: what is measured, and what it has to be. */
export interface Row {
  /** Says what and against which peer. Never changes once it was published: results are told apart by it. */
  readonly name: string;
  readonly unit: string;
  /** What is wanted of `ratio` where there is a peer, else of `ours`. Null: printed, not judged. */
  readonly must: number | null;
  readonly aim: number | null;
  /** Which side of `must` is the good one. */
  readonly better: "more" | "less";
}

/** What a run found for a row. `note` is printed, not kept. */
export interface Measured {
  readonly ours: number | null;
  readonly peer: number | null;
  readonly note?: string;
}

/** A row with its result, as bench/RESULTS.json keeps it. */
export interface Result {
  readonly name: string;
  readonly ours: number | null;
  readonly peer: number | null;
  /** ours / peer. */
  readonly ratio: number | null;
  readonly must: number | null;
  readonly aim: number | null;
  /** Null where there is no `must`. */
  readonly met: boolean | null;
  readonly unit: string;
  readonly commit: string;
}

/** What a group of rows is given to measure with. */
export interface Bench {
  /** Fewer files and runs: the figures mean nothing. */
  readonly quick: boolean;
  /** Whether somebody wants this row; a group skips what nobody does. */
  readonly wants: (row: Row) => boolean;
  /** Progress, one line. */
  readonly say: (line: string) => void;
  /** Notes a result, and shows it. */
  readonly measured: (row: Row, found: Measured) => void;
}

/** Rows that are measured together. What `run` throws fails those that have no result yet. */
export interface Group {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly run: (bench: Bench) => Promise<void>;
}

export function resultOf(row: Row, found: Measured | null, commit: string): Result {
  const { name, must, aim, unit } = row;
  const ours = found?.ours ?? null;
  const peer = found?.peer ?? null;
  const ratio = ours === null || peer === null || peer === 0 ? null : ours / peer;
  const judged = ratio ?? ours;
  const met = must === null ? null : judged !== null && (row.better === "more" ? judged >= must : judged <= must);
  return { name, ours: short(ours), peer: short(peer), ratio: short(ratio), must, aim, met, unit, commit };
}

/** Four digits that count: no measurement here is worth more. */
function short(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}
