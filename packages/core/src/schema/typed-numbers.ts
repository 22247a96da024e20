import { type Column, mergeNumbers, sameType, type TableSchema } from "../domain/table-schema.ts";
import type { ColumnData } from "./column-data.ts";
import type { Plan, SourceColumn } from "./enforce.ts";
import { numbersOfType } from "./infer.ts";
import { NumbersSeen } from "./observe-numbers.ts";

/**
 * Columns that came typed were planned by what their type may hold; once loaded, what their values need is known, and
 * the schema keeps that: a later file widens a column by its data.
 */
export class TypedNumbers {
  readonly #plan: Plan;
  readonly #live: ReadonlyMap<number, Column>;
  /** By column of the schema; null where nothing is to be counted. */
  readonly #seen: readonly (NumbersSeen | null)[];

  constructor(source: readonly SourceColumn[], plan: Plan, live: TableSchema | undefined) {
    this.#plan = plan;
    this.#live = new Map(live?.columns.map((column) => [column.id, column]));
    this.#seen = plan.schema.columns.map((column, i) => {
      const { type = null, facts } = source[plan.from[i] ?? -1] ?? {};
      // Where the types differ, or the reader knows its values, they were looked at before the plan.
      return !facts && type !== null && column.numbers && !column.declared && sameType(type, column.type) ? new NumbersSeen(type) : null;
    });
  }

  /** A batch's columns in the source's order. */
  add(columns: readonly ({ readonly data: ColumnData } | { readonly text: readonly (string | null)[] })[]): void {
    this.#seen.forEach((seen, i) => {
      const cells = seen === null ? undefined : columns[this.#plan.from[i] ?? -1];
      if (cells && "data" in cells) seen?.add(cells.data);
    });
  }

  /** The plan's schema with the numbers of the data. */
  schema(): TableSchema {
    const columns = this.#plan.schema.columns.map((column, i): Column => {
      const seen = this.#seen[i]?.facts;
      if (!seen) return column;
      const live = this.#live.get(column.id);
      const before = live ? (live.numbers ?? numbersOfType(live.type)) : null;
      return { ...column, numbers: before ? mergeNumbers(before, seen) : seen };
    });
    return { ...this.#plan.schema, columns };
  }
}
