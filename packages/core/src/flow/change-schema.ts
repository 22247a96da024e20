import { tooManyRejects } from "../domain/dataset.ts";
import { Fault, isFault } from "../domain/fault.ts";
import { type Column, sameType, tableOf, type TableSchema, typeName, withTable } from "../domain/table-schema.ts";
import type { Catalog, Dataset } from "../ports/catalog.ts";
import type { Remade, RemakeSource } from "../ports/publication.ts";
import type { PendingChange, SchemaChanges, WantedSchema } from "../ports/schema-changes.ts";
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
  const current = tableOf(dataset.schemas, change.table) ?? { columns: [], lastId: 0 };
  const schema = nextSchema(current, change.wanted);
  const schemas = withTable(dataset.schemas, change.table, schema);
  const remade: Remade[] = [];
  const keys: string[] = [];
  // A column that comes (back) may stand in the raw bytes of files whose parts have none of it.
  const adds = schema.columns.length > 0 && schema.columns.some((column) => column.id > current.lastId);
  try {
    for (const source of await deps.publication.toRemake(dataset.generation, change.table, schema, adds)) {
      const made = await remake(deps, source, { path: dataset.path, number: dataset.generationNumber, schemas }, "remake", signal);
      keys.push(...made.keys);
      refuseLosses(change, source, made.remade);
      remade.push(made.remade);
    }
  } catch (error) {
    await removeQuietly(deps, keys);
    throw error;
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

/** A change is no licence to lose rows: a file may have as many rejects under the new types as it may have when it is loaded. */
function refuseLosses(change: PendingChange, source: RemakeSource, { findings: { counts, rejects } }: Remade): void {
  const limit = change.wanted.maxRejects ?? source.rules.maxRejects;
  if (!tooManyRejects(limit, counts.rejected, counts.read)) return;
  const first = rejects[0];
  const example = first ? `; the first is row ${first.row}: ${first.reason}` : "";
  throw new Fault(
    "too_many_rejects",
    `under the new schema ${counts.rejected} of ${counts.read} rows of ${source.name} would be rejected${example}; nothing was changed`,
    {
      field: "max_rejects",
      value: counts.rejected,
      limit: "rows" in limit ? limit.rows : limit.share,
    },
  );
}

/**
 * Known names keep their ids, new ones get fresh ones; what is named is declared from now on, so no file widens it.
 * A column that a file added since the change was asked for is neither named nor dropped: it stays.
 */
export function nextSchema(current: TableSchema, wanted: Pick<WantedSchema, "columns" | "drop">): TableSchema {
  let lastId = current.lastId;
  const columns = wanted.columns.map(({ name, type }): Column => {
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
  const named = new Set([...wanted.drop, ...wanted.columns.map((column) => column.name)]);
  return { columns: [...columns, ...current.columns.filter((column) => !named.has(column.name))], lastId };
}
