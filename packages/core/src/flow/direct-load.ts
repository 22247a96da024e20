import type { ColumnChunk } from "../columns/column-chunk.ts";
import { type ColumnBuilder, columnBuilder } from "../columns/column-builder.ts";
import { ROW_GROUP_BYTES, ROW_GROUP_ROWS } from "../columns/row-group-builder.ts";
import { Scratch } from "../columns/scratch.ts";
import type { OnBadRow } from "../domain/dataset.ts";
import type { Column } from "../domain/table-schema.ts";
import type { DirectBlock, LoadJob } from "../formats/direct.ts";
import { reasonOf } from "../schema/coerce.ts";
import type { Plan } from "../schema/enforce.ts";
import { isLineage } from "../schema/lineage.ts";
import type { ColumnWatch } from "./column-watch.ts";
import { rejected, type RejectedRow } from "./conform.ts";
import { LineageFill } from "./lineage-fill.ts";

/** What became of a block's rows; they are in the columns. */
export interface BlockLoad {
  readonly rows: number;
  /** In the file's order. */
  readonly rejects: readonly RejectedRow[];
  readonly warnings: number;
}

export interface DirectLoadOptions {
  readonly table: string;
  readonly plan: Plan;
  /** As in DirectTable. */
  readonly columns: number;
  readonly onBadRow: OnBadRow;
  readonly file: string;
  readonly loadedAtMs: number;
  /** Told what cells look like; null where the plan no longer depends on it. */
  readonly watch: ColumnWatch | null;
}

interface Target {
  readonly column: Column;
  readonly builder: ColumnBuilder;
  /** The source column that feeds it, or null for none. */
  readonly from: number | null;
  readonly job: LoadJob;
  /** Its kernel makes no difference between texts, so that its cells are looked at before. */
  readonly observedApart: boolean;
}

interface BadCell {
  readonly column: string;
  readonly raw: string;
  readonly reason: string;
}

/** Blocks of one table -> the columns of a row group, typed by a plan. */
export class DirectLoad {
  rows = 0;
  readonly #options: DirectLoadOptions;
  readonly #targets: readonly Target[];
  readonly #scratch = new Scratch();
  readonly #lineage: LineageFill;
  /** By row of the block: the first cell of it that does not fit. */
  readonly #bad = new Map<number, BadCell>();
  #badCells = 0;

  constructor(options: DirectLoadOptions) {
    this.#options = options;
    this.#lineage = new LineageFill(options.file, options.loadedAtMs);
    this.#targets = options.plan.schema.columns.map((column, i) => this.#target(column, this.#sourceOf(i)));
  }

  /** Whether the row group should be written before so many rows are added. */
  hasNoRoomFor(rows: number): boolean {
    if (this.rows === 0) return false;
    if (this.rows + rows > ROW_GROUP_ROWS) return true;
    let bytes = 0;
    for (const { builder } of this.#targets) bytes += builder.bytes;
    return bytes >= ROW_GROUP_BYTES;
  }

  /** The row group; valid until the next block. */
  chunks(): ColumnChunk[] {
    return this.#targets.map(({ builder }) => builder.chunk());
  }

  /** Begins a row group. */
  clear(): void {
    for (const { builder } of this.#targets) builder.reset();
    this.rows = 0;
  }

  /** Lets the next file have the columns' memory. */
  release(): void {
    for (const { builder } of this.#targets) builder.release();
  }

  /** Adds a block's rows to the columns; true when every cell fitted. A block with misfits or bad cells needs `settle`. */
  add(block: DirectBlock): boolean {
    this.#bad.clear();
    this.#badCells = 0;
    this.#fill(block);
    return this.#badCells === 0;
  }

  /** Takes the rows that do not fit out of what `add` added, or under `coerce` keeps them. Counts the block. */
  settle(block: DirectBlock): BlockLoad {
    const { table, onBadRow } = this.#options;
    const coerced = onBadRow === "coerce";
    const bad = coerced ? [] : [...this.#bad].sort(([a], [b]) => a - b);
    const rejects = bad.map(([row, cell]) => rejected(block.place(row), table, cell.column, cell.raw, cell.reason));
    for (const misfit of block.misfits) rejects.push(rejected(misfit, table, null, misfit.raw, misfit.reason));
    rejects.sort((a, b) => a.reject.row - b.reject.row);
    const warnings = block.filled + (coerced ? this.#badCells : 0);
    if (bad.length > 0) {
      for (const { builder } of this.#targets) builder.rewind();
      block.drop(bad.map(([row]) => row));
      this.#fill(block);
    }
    this.rows += block.rows;
    return { rows: block.rows, rejects, warnings };
  }

  #fill(block: DirectBlock): void {
    const scratch = this.#scratch;
    const { watch } = this.#options;
    for (const { column, builder, from, job, observedApart } of this.#targets) {
      builder.mark();
      if (from === null) {
        if (isLineage(column.name)) builder.append(this.#lineage.fill(column.name, block, scratch));
        else builder.appendNulls(block.rows);
        continue;
      }
      if (observedApart) watch?.observeColumn(block, from);
      else watch?.before(from);
      block.load(from, job, scratch);
      if (!observedApart) watch?.after(block, from);
      if (job.newCodes) {
        builder.forgetCodes();
        job.newCodes = false;
      }
      builder.append(scratch);
    }
  }

  #sourceOf(i: number): number | null {
    const from = this.#options.plan.from[i] ?? null;
    return from !== null && from < this.#options.columns ? from : null;
  }

  #target(column: Column, from: number | null): Target {
    const { watch } = this.#options;
    const { type, declared, name } = column;
    const onBad = (row: number, raw: string) => {
      this.#badCells++;
      if (!this.#bad.has(row)) this.#bad.set(row, { column: name, raw, reason: reasonOf(raw, type) });
    };
    return {
      column,
      builder: columnBuilder(type),
      from,
      job: { type, declared, seen: from === null ? null : (watch?.seen[from] ?? null), onBad, codeScale: 0, newCodes: false },
      observedApart: type.kind === "text" || type.kind === "binary" || type.kind === "unknown",
    };
  }
}
