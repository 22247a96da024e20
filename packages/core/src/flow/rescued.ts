import type { ColumnType } from "../domain/table-schema.ts";
import type { SourceBatch, SourceCells } from "../formats/format.ts";
import { textAt } from "../schema/render.ts";
import type { SourceColumn, Plan } from "../schema/enforce.ts";

/** What of a batch's rows fits no column: values that are not of their column's type, and values of columns that the table does not have. */
export class Rescued {
  readonly #rows: (Map<string, string> | undefined)[];

  constructor(batch: SourceBatch, { source, plan }: { readonly source: readonly SourceColumn[]; readonly plan: Plan }) {
    this.#rows = Array<undefined>(batch.rows).fill(undefined);
    const dropped = new Set(plan.dropped);
    source.forEach((column, i) => {
      const cells = batch.columns[i];
      if (column.left || !dropped.has(column.name) || !cells) return;
      for (let row = 0; row < batch.rows; row++) {
        const text = textOf(cells, column.type, row);
        if (text !== null) this.add(row, column.name, text);
      }
    });
  }

  add(row: number, column: string, text: string): void {
    const known = this.#rows[row];
    if (known) known.set(column, text);
    else this.#rows[row] = new Map([[column, text]]);
  }

  /** By row: a JSON object of texts by column name, or null. */
  texts(): (string | null)[] {
    return this.#rows.map((row) => (row === undefined ? null : jsonOf(row)));
  }
}

/** Written by hand: as a key of an object, `__proto__` would vanish and numbers would change their place. */
function jsonOf(row: ReadonlyMap<string, string>): string {
  return `{${[...row].map(([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`).join(",")}}`;
}

function textOf(cells: SourceCells, type: ColumnType | null, row: number): string | null {
  if ("text" in cells) return cells.text[row] ?? null;
  return textAt(cells.data, type ?? { kind: "unknown" }, row);
}
