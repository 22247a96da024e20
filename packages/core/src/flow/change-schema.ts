import { Fault, isFault } from "../domain/fault.ts";
import { type Column, type TableSchema, typeName, sameType } from "../domain/table-schema.ts";
import type { Catalog, Dataset } from "../ports/catalog.ts";
import type { Remade } from "../ports/publication.ts";
import type { PendingChange, SchemaChanges } from "../ports/schema-changes.ts";
import { removeQuietly } from "./attempt.ts";
import { remake, type RemakeDeps } from "./remake.ts";

export interface ChangeSchemaDeps extends RemakeDeps {
  readonly catalog: Catalog;
  readonly schemaChanges: SchemaChanges;
}

const ROUNDS = 20;

/**
 * Carries out an explicit change of a table's schema: every live file whose parts do not fit is made again from its raw bytes,
 * then schema and parts are published together. A platform fault leaves the change pending; any other ends it as failed.
 */
export async function changeSchema(deps: ChangeSchemaDeps, change: PendingChange, signal: AbortSignal): Promise<void> {
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const dataset = await deps.catalog.byId(change.org, change.dataset);
      if (!dataset) throw new Fault("not_found", `there is no dataset ${change.dataset}`, { value: change.dataset });
      if (await tryChange(deps, change, dataset, signal)) return await deps.schemaChanges.finish(change.id, null);
    }
    throw new Fault("internal", `the schema of ${change.table} changed ${ROUNDS} times meanwhile`);
  } catch (error) {
    if (isFault(error) && error.blame === "platform" && error.code !== "internal") throw error;
    const fault = isFault(error)
      ? error
      : new Fault("internal", "an unexpected error in the worker; its log has the details", { cause: error });
    await deps.schemaChanges.finish(change.id, fault.toRecord());
    if (!isFault(error)) throw error;
  }
}

async function tryChange(deps: ChangeSchemaDeps, change: PendingChange, dataset: Dataset, signal: AbortSignal): Promise<boolean> {
  const schema = nextSchema(dataset.schemas[change.table] ?? { columns: [], lastId: 0 }, change.columns);
  const schemas = { ...dataset.schemas, [change.table]: schema };
  const remade: Remade[] = [];
  const keys: string[] = [];
  for (const source of await deps.publication.toRemake(dataset.generation, change.table, schema)) {
    const made = await remake(deps, source, { path: dataset.path, number: dataset.generationNumber, schemas }, "remake", signal);
    remade.push(made.remade);
    keys.push(...made.keys);
  }
  const result = await deps.publication.publishSchema({
    dataset: dataset.id,
    generation: dataset.generation,
    basedOn: dataset.schemaVersion,
    schemas: { [change.table]: schema },
    remade,
  });
  if (result === "done") return true;
  await removeQuietly(deps, keys);
  return false;
}

/** Known names keep their ids, new ones get fresh ones; every column is declared from now on, so no file widens it. */
export function nextSchema(current: TableSchema, wanted: PendingChange["columns"]): TableSchema {
  let lastId = current.lastId;
  const columns = wanted.map(({ name, type }): Column => {
    const known = current.columns.find((column) => column.name === name);
    if (known && (known.type.kind === "nested" || type.kind === "nested") && !sameType(known.type, type)) {
      throw new Fault("schema_mismatch", `${name}: a nested column cannot become ${typeName(type)}`, {
        field: name,
        value: typeName(type),
      });
    }
    if (known) return { id: known.id, name, type, declared: true };
    lastId += 1;
    return { id: lastId, name, type, declared: true };
  });
  return { columns, lastId };
}
