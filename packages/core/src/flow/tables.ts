import { MAIN_TABLE } from "../domain/dataset.ts";
import type { TableRule } from "../domain/options.ts";
import type { OpenedFile, OpenedTable } from "../formats/format.ts";
import { tableName, uniqueNames } from "../formats/table-names.ts";
import { columnsAgree, unionTable } from "./union-table.ts";

/**
 * The tables of a file as the option `tables` wants them. `first`: the first alone, as `main`; the rows of the others are not
 * read and in no count. `union`: one table `main` with all columns by name. `by_name`: each under its own name. Without the
 * option: `main` where there is one, else `union` where columns agree, else `by_name`. Tables without columns are left out.
 */
export async function arrangeTables(file: OpenedFile, rule: TableRule | undefined): Promise<OpenedFile> {
  const filled = file.tables.filter(({ columns }) => columns.length > 0);
  const tables = filled.length > 0 ? filled : file.tables.slice(0, 1);
  const compared = tables.length > 1 && (rule === undefined || rule === "union");
  return { ...file, tables: arranged(compared ? await wholeTables(tables) : tables, rule) };
}

/** The tables with all their columns: of some only the first rows were looked at. */
async function wholeTables(tables: readonly OpenedTable[]): Promise<OpenedTable[]> {
  const whole: OpenedTable[] = [];
  for (const table of tables) whole.push(table.whole ? { ...(await table.whole()), table: table.table } : table);
  return whole;
}

function arranged(tables: readonly OpenedTable[], rule: TableRule | undefined): OpenedTable[] {
  const [first] = tables;
  if (first === undefined) return [];
  switch (rule) {
    case "first":
      return [{ ...first, table: MAIN_TABLE }];
    case "union":
      return [tables.length === 1 ? { ...first, table: MAIN_TABLE } : unionTable(MAIN_TABLE, tables)];
    case "by_name":
      return byName(tables);
    case undefined:
      if (tables.length === 1) return [{ ...first, table: MAIN_TABLE }];
      return columnsAgree(tables) ? [unionTable(MAIN_TABLE, tables)] : byName(tables);
  }
}

function byName(tables: readonly OpenedTable[]): OpenedTable[] {
  const names = uniqueNames(tables.map(({ table }) => tableName(table)));
  return tables.map((table, i) => ({ ...table, table: names[i] ?? table.table }));
}
