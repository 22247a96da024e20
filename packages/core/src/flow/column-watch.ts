import type { DirectBlock } from "../formats/direct.ts";
import type { OpenedTable } from "../formats/format.ts";
import { type ColumnFacts, infer } from "../schema/infer.ts";
import { copyObservation, newObservation, type Observation } from "../schema/observe.ts";
import type { Planning } from "./conform.ts";

/** What the cells of the columns that a plan depends on look like, as far as they were seen. */
export class ColumnWatch {
  /** By source column; null where nobody asks. */
  readonly seen: readonly (Observation | null)[];
  readonly #settles: readonly boolean[];
  /** What was seen before the block that is being loaded, for columns that no text has settled. */
  readonly #before: readonly Observation[];

  readonly #columns: number;

  /** `columns` as in DirectTable. */
  constructor(table: OpenedTable, { asked, known }: Planning, columns: number) {
    this.#columns = columns;
    this.seen = asked.map((needed) => (needed ? newObservation() : null));
    this.#settles = table.columns.map(({ name }) => !known.has(name));
    this.#before = asked.map(newObservation);
  }

  facts(): (ColumnFacts | null)[] {
    return this.seen.map((seen) => (seen === null ? null : infer(seen)));
  }

  /** Looks at all cells of a block. */
  observe(block: DirectBlock): void {
    for (let column = 0; column < this.#columns; column++) this.observeColumn(block, column);
  }

  observeColumn(block: DirectBlock, column: number): void {
    const seen = this.seen[column];
    if (seen) block.observe(column, seen, this.#settles[column] ?? false);
  }

  /** To be called before a column is loaded by a kernel that observes on the way. */
  before(column: number): void {
    const seen = this.seen[column];
    const before = this.#before[column];
    if (seen && before && this.#settles[column] && before.texts === 0) copyObservation(seen, before);
  }

  /** After it: nothing counts that follows the first text, so where there was one the block is looked at again in its order. */
  after(block: DirectBlock, column: number): void {
    const seen = this.seen[column];
    const before = this.#before[column];
    if (!seen || !before || !this.#settles[column] || seen.texts === 0 || before.texts > 0) return;
    copyObservation(before, seen);
    this.observeColumn(block, column);
    before.texts = seen.texts;
  }
}
