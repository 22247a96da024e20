import type { ColumnType } from "../domain/table-schema.ts";

/** Columns that say where a row came from. */
export const LINEAGE = ["_file_id", "_row", "_loaded_at"] as const;
/** What of a row fits no column, as a JSON object of texts by column name; null where all of it fits. */
export const RESCUED = "_rescued";
export type LineageName = (typeof LINEAGE)[number] | typeof RESCUED;

export const LINEAGE_TYPES: Readonly<Record<LineageName, ColumnType>> = {
  _file_id: { kind: "text" },
  _row: { kind: "int64" },
  _loaded_at: { kind: "timestamp", zone: true, unit: "us" },
  _rescued: { kind: "text" },
};

/** True for names that are ours: a source column of such a name gets a suffix. */
export function isLineage(name: string): name is LineageName {
  return Object.hasOwn(LINEAGE_TYPES, name);
}

/** The columns of ours that a file's options ask for. */
export function ownColumns(options: { readonly lineage: boolean; readonly rescued: boolean }): readonly LineageName[] {
  const own: LineageName[] = options.lineage ? [...LINEAGE] : [];
  if (options.rescued) own.push(RESCUED);
  return own;
}
