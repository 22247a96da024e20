import type { Caller } from "../domain/access.ts";
import type { MaxRejects } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import type { DatasetId } from "../domain/ids.ts";
import { tableOf } from "../domain/table-schema.ts";
import type { SchemaChange, SchemaChanges } from "../ports/schema-changes.ts";
import { requireScope } from "./access.ts";
import { type DatasetDeps, declaredSchema, type DeclaredColumns, getDataset } from "./datasets.ts";

export type { SchemaChange };

export interface SchemaDeps extends DatasetDeps {
  readonly schemaChanges: SchemaChanges;
}

/** All columns as they shall be. One that there is must be among them, or be named in `drop`. */
export interface WantedTable {
  readonly table: string;
  readonly columns: DeclaredColumns;
  readonly drop: readonly string[];
  readonly maxRejects: MaxRejects | null;
}

function checkDrops(known: readonly string[], { columns, drop }: WantedTable): void {
  const named = new Set(columns.map((column) => column.name));
  for (const name of drop) {
    if (named.has(name)) throw new Fault("invalid_field", `drop: ${name} is among the columns as well`, { field: "drop", value: name });
    if (!known.includes(name)) throw new Fault("invalid_field", `drop: there is no column ${name}`, { field: "drop", value: name });
  }
  const missing = known.find((name) => !named.has(name) && !drop.includes(name));
  if (missing === undefined) return;
  throw new Fault("invalid_field", `columns: ${missing} is missing; list every column, and name in drop those that shall go`, {
    field: "columns",
    value: missing,
  });
}

/**
 * Asks for another schema of one table. A worker makes the live parts again under it, so the answer is a change to poll.
 * Throws `not_found`, `invalid_field`.
 */
export async function changeSchema(deps: SchemaDeps, caller: Caller, dataset: DatasetId, wanted: WantedTable): Promise<SchemaChange> {
  requireScope(caller, "upload");
  declaredSchema(wanted.columns, "columns");
  const { schemas } = await getDataset(deps, { ...caller, scopes: ["admin"] }, dataset);
  checkDrops(tableOf(schemas, wanted.table)?.columns.map((column) => column.name) ?? [], wanted);
  const { id } = await deps.schemaChanges.request(caller.org, dataset, wanted.table, {
    columns: wanted.columns,
    drop: wanted.drop,
    maxRejects: wanted.maxRejects,
  });
  return getSchemaChange(deps, caller, dataset, id);
}

/** How far a requested change is. Throws `not_found`. */
export async function getSchemaChange(deps: SchemaDeps, caller: Caller, dataset: DatasetId, id: string): Promise<SchemaChange> {
  const change = await deps.schemaChanges.get(caller.org, id);
  if (change && change.dataset === dataset) return change;
  throw new Fault("not_found", `change: there is no schema change ${id} of this dataset`, { field: "change", value: id });
}
