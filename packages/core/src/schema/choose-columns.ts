import { Fault } from "../domain/fault.ts";
import type { FileOptions } from "../domain/options.ts";
import type { ColumnType } from "../domain/table-schema.ts";
import type { SourceColumn } from "./enforce.ts";
import { isLineage } from "./lineage.ts";

type Choice = Pick<FileOptions, "include_columns" | "include_missing_columns" | "column_mapping" | "column_types" | "default_type">;

/** A file's columns as its options want them, in the file's order; columns asked for that it lacks come last, as nulls. */
export interface ChosenColumns {
  readonly columns: readonly SourceColumn[];
  /** Declared types by new name. */
  readonly declared: Readonly<Record<string, ColumnType>>;
}

/**
 * Leaves columns out and renames them. `include_columns` and `column_mapping` speak of names as in the file, `column_types` of
 * new ones. Throws `schema_mismatch` for a column that the file lacks and for two columns of one name.
 */
export function chooseColumns(table: string, source: readonly SourceColumn[], options: Choice): ChosenColumns {
  const at = new Map(source.map((column, i) => [column.name, i]));
  const ranks = ranksOf(table, at, source.length, options);
  const missing = [...ranks.keys()].filter((key): key is string => typeof key === "string");
  const mapping = options.column_mapping ?? {};
  const unknown = Object.keys(mapping).find((name) => !at.has(name));
  if (unknown !== undefined) throw lacks(table, unknown, "column_mapping");
  const renamed = (name: string) => (Object.hasOwn(mapping, name) ? (mapping[name] ?? name) : name);
  const all = options.include_columns === undefined;
  const columns: SourceColumn[] = source.map((column, i) => {
    const rank = ranks.get(i);
    const name = renamed(column.name);
    if (all) return { ...column, name };
    return rank === undefined ? { ...column, name, left: true } : { ...column, name, rank };
  });
  for (const name of missing) columns.push({ name: renamed(name), type: { kind: "unknown" }, rank: ranks.get(name) ?? 0 });
  checkUnique(table, columns);
  return { columns, declared: declaredTypes(columns, options) };
}

/** Position in `include_columns` by index in the file, or by name where the file lacks it. */
function ranksOf(table: string, at: ReadonlyMap<string, number>, count: number, options: Choice): Map<number | string, number> {
  const ranks = new Map<number | string, number>();
  options.include_columns?.forEach((wanted, rank) => {
    const index = typeof wanted === "number" ? wanted : at.get(wanted);
    if (index !== undefined && index < count) ranks.set(index, rank);
    else if (typeof wanted === "string" && options.include_missing_columns) ranks.set(wanted, rank);
    else throw lacks(table, wanted, "include_columns");
  });
  return ranks;
}

function declaredTypes(columns: readonly SourceColumn[], { column_types: types = {}, default_type: other }: Choice) {
  if (!other) return types;
  const rest = columns.filter(({ name, left }) => !left && !Object.hasOwn(types, name)).map(({ name }) => [name, other] as const);
  return Object.fromEntries([...Object.entries(types), ...rest]);
}

function checkUnique(table: string, columns: readonly SourceColumn[]): void {
  const taken = new Set<string>();
  for (const { name, left } of columns) {
    if (left) continue;
    if (isLineage(name)) {
      throw new Fault("schema_mismatch", `table ${table}: column_mapping makes a column named ${name}, a name that is the service's own`, {
        field: "column_mapping",
        value: name,
      });
    }
    if (taken.has(name)) {
      throw new Fault("schema_mismatch", `table ${table}: column_mapping would make two columns named ${JSON.stringify(name)}`, {
        field: "column_mapping",
        value: name,
      });
    }
    taken.add(name);
  }
}

function lacks(table: string, column: string | number, option: string): Fault {
  const what = typeof column === "number" ? `a column at position ${column} (from 0)` : `column ${JSON.stringify(column)}`;
  return new Fault("schema_mismatch", `table ${table}: ${option} names ${what}, which the file does not have`, {
    field: option,
    value: column,
  });
}
