import type { ColumnType } from "../domain/table-schema.ts";

/** Columns that say where a row came from. Their names are ours: a source column of such a name gets a suffix. */
export const LINEAGE = ["_file_id", "_row", "_loaded_at"] as const;
export type LineageName = (typeof LINEAGE)[number];

export const LINEAGE_TYPES: Readonly<Record<LineageName, ColumnType>> = {
  _file_id: { kind: "text" },
  _row: { kind: "int64" },
  _loaded_at: { kind: "timestamp", zone: true, unit: "us" },
};

export function isLineage(name: string): name is LineageName {
  return (LINEAGE as readonly string[]).includes(name);
}
