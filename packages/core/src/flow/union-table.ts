import { isDeepStrictEqual } from "node:util";
import { Fault } from "../domain/fault.ts";
import { type ColumnType, NO_NUMBERS, sameType, typeName, widen } from "../domain/table-schema.ts";
import type { Misfit, OpenedTable, Place, SourceBatch, SourceCells } from "../formats/format.ts";
import { allNull } from "../schema/column-data.ts";
import type { SourceColumn } from "../schema/enforce.ts";
import { textAt } from "../schema/render.ts";
import type { TextRules } from "../schema/text-rules.ts";

/** True when the tables have the same columns, in any order, of types that one type holds, and read their texts alike. */
export function columnsAgree(tables: readonly OpenedTable[]): boolean {
  const [first, ...others] = tables;
  if (first === undefined) return true;
  const types = new Map(first.columns.map(({ name, type }) => [name, type]));
  return others.every(
    ({ columns, rules }) =>
      columns.length === types.size &&
      isDeepStrictEqual(rules, first.rules) &&
      columns.every(({ name, type }) => {
        const before = types.get(name);
        if (before === undefined) return false;
        return before === null || type === null ? isPlain(before) && isPlain(type) : widen(before, type, NO_NUMBERS) !== null;
      }),
  );
}

/** Rendered as text and read again without loss. */
function isPlain(type: ColumnType | null): boolean {
  return type === null || (type.kind !== "nested" && type.kind !== "binary");
}

/**
 * The tables as one: their columns by name in the order in which they first come, their rows one table after the other with
 * numbers that run on. Where a column's types differ its values go by way of their text, so that its type is found as over
 * one file. Throws `schema_mismatch` where nested or binary values meet others.
 */
export function unionTable(name: string, tables: readonly OpenedTable[]): OpenedTable {
  const columns = unionColumns(tables);
  const rules = commonRules(tables, columns);
  return {
    table: name,
    columns,
    ...(rules === undefined ? {} : { rules }),
    async *batches() {
      let rowsBefore = 0;
      for (const table of tables) {
        const from = columns.map((column) => table.columns.findIndex(({ name }) => name === column.name));
        let last = 0;
        let rows = 0;
        for await (const batch of table.batches()) {
          yield shifted(batch, rowsBefore, unionCells(batch, table, columns, from));
          // Rows that are skipped have numbers too, and may be the last.
          rows += batch.rows + batch.misfits.length + (batch.skipped ?? 0);
          last = Math.max(rows, batch.rowNumbers.at(-1) ?? 0, batch.misfits.at(-1)?.row ?? 0);
        }
        rowsBefore += last;
      }
    },
  };
}

/** The one way in which cells of text become values; typed values that go by way of text know the usual one alone. */
function commonRules(tables: readonly OpenedTable[], columns: readonly SourceColumn[]): TextRules | undefined {
  const rules = tables[0]?.rules;
  const rendered = new Set(columns.filter(({ type }) => type === null).map(({ name }) => name));
  for (const table of tables) {
    const alike = isDeepStrictEqual(table.rules, rules);
    const typed = table.columns.find(({ name, type }) => type !== null && rendered.has(name));
    if (alike && (rules === undefined || typed === undefined)) continue;
    throw new Fault(
      "schema_mismatch",
      `table ${JSON.stringify(table.table)} writes its values in another way than the tables before it: load them apart with tables=by_name`,
      { field: "tables" },
    );
  }
  return rules;
}

function unionColumns(tables: readonly OpenedTable[]): SourceColumn[] {
  const types = new Map<string, ColumnType | null>();
  for (const { table, columns } of tables) {
    for (const { name, type } of columns) {
      const before = types.get(name);
      types.set(name, before === undefined ? type : unionType(table, name, before, type));
    }
  }
  return [...types].map(([name, type]) => ({ name, type }));
}

/** Null: the values meet as text. */
function unionType(table: string, name: string, a: ColumnType | null, b: ColumnType | null): ColumnType | null {
  if (a !== null && b !== null && sameType(a, b)) return a;
  if (a?.kind === "unknown") return b;
  if (b?.kind === "unknown") return a;
  if (isPlain(a) && isPlain(b)) return null;
  const told = (type: ColumnType | null) => (type === null ? "text" : typeName(type));
  throw new Fault(
    "schema_mismatch",
    `column ${JSON.stringify(name)} is ${told(b)} in table ${JSON.stringify(table)} and ${told(a)} before it: load them apart with tables=by_name`,
    { field: name },
  );
}

function unionCells(batch: SourceBatch, table: OpenedTable, columns: readonly SourceColumn[], from: readonly number[]): SourceCells[] {
  return columns.map(({ type }, i) => {
    const at = from[i] ?? -1;
    const cells = batch.columns[at];
    if (cells === undefined) return { data: allNull(batch.rows) };
    const own = table.columns[at]?.type ?? null;
    if (type !== null || own === null || !("data" in cells)) return cells;
    return { text: Array.from({ length: batch.rows }, (_, row) => textAt(cells.data, own, row)) };
  });
}

function shifted(batch: SourceBatch, rowsBefore: number, columns: SourceCells[]): SourceBatch {
  const place = <T extends Place | Misfit>(at: T): T => ({ ...at, row: at.row + rowsBefore });
  return {
    rows: batch.rows,
    columns,
    misfits: rowsBefore === 0 ? batch.misfits : batch.misfits.map(place),
    filled: batch.filled,
    cut: batch.cut,
    ...(batch.skipped === undefined ? {} : { skipped: batch.skipped }),
    rowNumbers: rowsBefore === 0 ? batch.rowNumbers : batch.rowNumbers.map((row) => row + rowsBefore),
    place: (i) => place(batch.place(i)),
    rawBytes: batch.rawBytes,
  };
}
