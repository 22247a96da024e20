import { newObservation, type Observation } from "../../schema/observe.ts";
import type { Scratch } from "../../columns/scratch.ts";
import type { ColumnType } from "../../domain/table-schema.ts";
import { loadDecimals, loadDoubles, loadInts } from "../csv/kernels/load-numbers.ts";
import { loadBools, loadNothing } from "../csv/kernels/load-others.ts";
import type { Kernel } from "../csv/kernels/load-rare.ts";
import { loadDates, loadTimes, loadTimestamps } from "../csv/kernels/load-times.ts";
import { type DirectBlock, type LoadJob, Unforeseen } from "../direct.ts";
import type { Misfit, Place } from "../format.ts";
import { BOOLS, ColumnCells, CONTAINERS, NUMBERS, PLAIN_TEXT } from "./column-cells.ts";
import { TextLoader } from "./load-texts.ts";
import { loadByText } from "./load-by-text.ts";
import { observeScalar, scalarsIn } from "./observe-cells.ts";
import type { Cells } from "./row-cells.ts";
import { KIND } from "./scan-value.ts";

/** Rows of a block, their values still ranges of its bytes. */
export interface BlockRows {
  readonly rows: number;
  readonly misfits: readonly Misfit[];
  /** Rows that were cut or filled, keys that came twice, characters and members left out: each is a counted warning. */
  readonly warnings: number;
  readonly rowNumbers: readonly number[];
  /** By source column; null for a column that the rows do not have. */
  cells(column: number): Cells | null;
  place(row: number): Place;
}

const NO_ROWS: BlockRows = {
  rows: 0,
  misfits: [],
  warnings: 0,
  rowNumbers: [],
  cells: () => null,
  place: () => ({ row: 0, byteOffset: null, line: null, raw: null }),
};

/**
 * A block of JSON for the short way. Columns of one kind of value go through the kernels that csv has: a value's bytes are
 * written the same in both. Any other mix goes by its texts.
 */
export class JsonBlock implements DirectBlock {
  rows = 0;
  #held: BlockRows = NO_ROWS;
  #kept: Int32Array | null = null;
  readonly #cells = new ColumnCells();
  readonly #texts = new TextLoader();

  of(held: BlockRows): this {
    this.#held = held;
    this.#kept = null;
    this.rows = held.rows;
    return this;
  }

  get misfits(): readonly Misfit[] {
    return this.#held.misfits;
  }

  get filled(): number {
    return this.#held.warnings;
  }

  rowNumber(row: number): number {
    return this.#held.rowNumbers[this.#at(row)] ?? 0;
  }

  place(row: number): Place {
    return this.#held.place(this.#at(row));
  }

  drop(rows: readonly number[]): void {
    const left = new Set(rows);
    const kept = new Int32Array(this.rows - left.size);
    let count = 0;
    for (let row = 0; row < this.rows; row++) if (!left.has(row)) kept[count++] = this.#at(row);
    this.#kept = kept;
    this.rows = count;
  }

  load(column: number, job: LoadJob, out: Scratch): void {
    out.begin(this.rows);
    const cells = this.#gather(column);
    if (cells === null) {
      out.present.fill(0, 0, this.rows);
      out.nulls = this.rows;
      return;
    }
    if (job.type.kind === "text" || job.type.kind === "binary") return this.#texts.load(cells, out);
    const { seen } = job;
    if ((cells.mask & CONTAINERS) !== 0 && seen !== null && scalarsIn(seen) === 0) throw new Unforeseen();
    const kernel = kernelOf(job.type, cells.mask);
    if (kernel === null) loadByText(cells, job, out);
    else if (seen !== null && (cells.mask & PLAIN_TEXT) !== 0) loadApart(kernel, cells, job, seen, out);
    else kernel(cells, 0, job, out);
  }

  observe(column: number, seen: Observation, textSettles: boolean): void {
    const cells = this.#gather(column);
    if (cells === null) return;
    const { bytes, starts, ends, kinds, rows } = cells;
    for (let row = 0; row < rows; row++) {
      if (textSettles && seen.texts > 0) return;
      const kind = kinds[row] ?? 0;
      if (kind < KIND.object) observeScalar(seen, bytes, starts[row] ?? 0, ends[row] ?? 0, kind);
      else if (scalarsIn(seen) === 0) throw new Unforeseen();
      else seen.texts++;
    }
  }

  #at(row: number): number {
    return this.#kept === null ? row : (this.#kept[row] ?? 0);
  }

  #gather(column: number): ColumnCells | null {
    const cells = this.#held.cells(column);
    if (cells === null) return null;
    this.#cells.gather(cells, this.rows, this.#kept);
    return this.#cells;
  }
}

/** The kernel for a column of this type whose values are all of the kinds that such a column has; null where they are not. */
function kernelOf(type: ColumnType, mask: number): Kernel | null {
  const only = (kinds: number, kernel: Kernel) => ((mask & ~kinds) === 0 ? kernel : null);
  switch (type.kind) {
    case "int64":
      return only(NUMBERS, loadInts);
    case "double":
      return only(NUMBERS, loadDoubles);
    case "decimal":
      return only(NUMBERS, loadDecimals);
    case "bool":
      return only(BOOLS, loadBools);
    case "date":
      return only(PLAIN_TEXT, loadDates);
    case "time":
      return only(PLAIN_TEXT, loadTimes);
    case "timestamp":
      return only(PLAIN_TEXT, loadTimestamps);
    case "unknown":
    case "nested":
      return only(0, loadNothing);
    case "text":
    case "binary":
      throw new Error("texts are not loaded by a kernel of csv");
  }
}

/** A kernel of csv takes numbers and booleans in texts for what they say; in JSON they are texts. */
function loadApart(kernel: Kernel, cells: ColumnCells, job: LoadJob, seen: Observation, out: Scratch): void {
  const apart = newObservation();
  const own: LoadJob = { ...job, seen: apart };
  kernel(cells, 0, own, out);
  job.codeScale = own.codeScale;
  job.newCodes = own.newCodes;
  seen.dates += apart.dates;
  seen.times += apart.times;
  seen.locals += apart.locals;
  seen.instants += apart.instants;
  seen.nanos ||= apart.nanos;
  if (apart.firstYear < seen.firstYear) seen.firstYear = apart.firstYear;
  if (apart.lastYear > seen.lastYear) seen.lastYear = apart.lastYear;
  seen.texts += apart.texts + apart.ints + apart.bigs + apart.fractions + apart.bools + apart.blanks;
}
