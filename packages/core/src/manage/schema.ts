import type { Caller } from "../domain/access.ts";
import { Fault } from "../domain/fault.ts";
import type { DatasetId } from "../domain/ids.ts";
import type { SchemaChange, SchemaChanges } from "../ports/schema-changes.ts";
import { requireScope } from "./access.ts";
import { type DatasetDeps, declaredSchema, type DeclaredColumns, getDataset } from "./datasets.ts";

export type { SchemaChange };

export interface SchemaDeps extends DatasetDeps {
  readonly schemaChanges: SchemaChanges;
}

/**
 * Asks for another schema of one table. A worker makes the live parts again under it, so the answer is a change to poll.
 * Throws `not_found`, `invalid_field`.
 */
export async function changeSchema(
  deps: SchemaDeps,
  caller: Caller,
  dataset: DatasetId,
  wanted: { readonly table: string; readonly columns: DeclaredColumns },
): Promise<SchemaChange> {
  requireScope(caller, "upload");
  declaredSchema(wanted.columns, "columns");
  await getDataset(deps, { ...caller, scopes: ["admin"] }, dataset);
  const { id } = await deps.schemaChanges.request(caller.org, dataset, wanted.table, wanted.columns);
  return getSchemaChange(deps, caller, dataset, id);
}

/** How far a requested change is. Throws `not_found`. */
export async function getSchemaChange(deps: SchemaDeps, caller: Caller, dataset: DatasetId, id: string): Promise<SchemaChange> {
  const change = await deps.schemaChanges.get(caller.org, id);
  if (change && change.dataset === dataset) return change;
  throw new Fault("not_found", `change: there is no schema change ${id} of this dataset`, { field: "change", value: id });
}
