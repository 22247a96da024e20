import { Scratch } from "../columns/scratch.ts";
import type { ColumnType, TableSchema } from "../domain/table-schema.ts";
import type { DirectBlock } from "../formats/direct.ts";
import type { SourceBatch } from "../formats/format.ts";
import { coerce } from "../schema/coerce.ts";
import type { Plan, SourceColumn } from "../schema/enforce.ts";

interface Sought {
  readonly name: string;
  readonly from: number;
  readonly former: ColumnType;
  readonly type: ColumnType;
}

/**
 * Finds, for each column of a table that a file widens, the first row that asked for it: whose value the column's new type
 * holds and the former one does not. Only cells of text are looked at; values that came typed ask by their type.
 */
export class WidenedRows {
  #sought: readonly Sought[];
  readonly #names: readonly string[];
  readonly #found = new Map<string, number>();
  readonly #scratch = new Scratch();

  constructor(source: readonly SourceColumn[], plan: Plan, live: TableSchema | undefined) {
    this.#names = plan.widened;
    this.#sought = plan.widened.flatMap((name): Sought[] => {
      const i = plan.schema.columns.findIndex((column) => column.name === name);
      const type = plan.schema.columns[i]?.type;
      const former = live?.columns.find((column) => column.name === name)?.type;
      const from = plan.from[i] ?? null;
      const isText = from !== null && source[from]?.type === null && source[from]?.facts === undefined;
      return type && former && isText && former.kind !== "unknown" ? [{ name, from, former, type }] : [];
    });
  }

  addBatch(batch: SourceBatch): void {
    this.#seek((sought, onBad) => {
      const cells = batch.columns[sought.from];
      if (cells && "text" in cells)
        coerce(cells.text, sought.former, { declared: false }, (row, cell) => onBad(batch.rowNumbers[row] ?? 0, cell));
    });
  }

  addBlock(block: DirectBlock): void {
    this.#seek(({ from, former }, onBad) => {
      const job = { type: former, declared: false, seen: null, codeScale: 0, newCodes: false };
      block.load(from, { ...job, onBad: (row, cell) => onBad(block.rowNumber(row), cell) }, this.#scratch);
    });
  }

  /** By column, in the order of the plan; undefined when no column is known to have been widened by a row. */
  rows(): Readonly<Record<string, number>> | undefined {
    if (this.#found.size === 0) return undefined;
    return Object.fromEntries(this.#names.flatMap((name) => (this.#found.has(name) ? [[name, this.#found.get(name) ?? 0] as const] : [])));
  }

  #seek(look: (sought: Sought, onBad: (row: number, cell: string) => void) => void): void {
    if (this.#sought.length === 0) return;
    for (const sought of this.#sought) {
      look(sought, (row, cell) => {
        if (this.#found.has(sought.name)) return;
        if (coerce([cell], sought.type, { declared: false }, () => undefined).nulls === 0) this.#found.set(sought.name, row);
      });
    }
    this.#sought = this.#sought.filter(({ name }) => !this.#found.has(name));
  }
}
