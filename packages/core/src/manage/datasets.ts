import type { Caller } from "../domain/access.ts";
import { parsePath } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import type { DatasetId, PartId } from "../domain/ids.ts";
import { DEFAULT_RULES, type LoadRules } from "../domain/options.ts";
import {
  type Column,
  type ColumnType,
  MAX_COLUMNS,
  sameShape,
  tableOf,
  type TableSchema,
  type TableSchemas,
} from "../domain/table-schema.ts";
import type { Catalog, Dataset, DatasetTotals, LivePart } from "../ports/catalog.ts";
import { requireScope } from "./access.ts";

export type { Dataset, DatasetTotals, LivePart };

export interface DatasetDeps {
  readonly catalog: Catalog;
}

/** Column names and types of one declared table, in order. */
export type DeclaredColumns = readonly { readonly name: string; readonly type: ColumnType }[];

/**
 * The dataset at a path, made when there is none. Asking again for the same is no error; asking for other rules or
 * another schema than it has is `path_conflict`.
 */
export async function createDataset(
  deps: DatasetDeps,
  caller: Caller,
  wanted: { readonly path: string; readonly rules: Partial<LoadRules>; readonly declared: TableSchemas },
): Promise<{ readonly dataset: Dataset; readonly created: boolean }> {
  requireScope(caller, "upload");
  const path = parsePath(wanted.path);
  const opened = await deps.catalog.open(caller.org, path, { rules: { ...DEFAULT_RULES, ...wanted.rules }, declared: wanted.declared });
  if (!opened.created && !fits(opened.dataset, wanted)) {
    throw new Fault(
      "path_conflict",
      `path: there is already a dataset at ${path}, with other rules or another schema; change it by its id`,
      {
        field: "path",
        value: path,
      },
    );
  }
  return opened;
}

function fits(dataset: Dataset, wanted: { readonly rules: Partial<LoadRules>; readonly declared: TableSchemas }): boolean {
  const rules = { ...dataset.rules, ...wanted.rules };
  const sameRules = rules.policy === dataset.rules.policy && rules.onBadRow === dataset.rules.onBadRow && sameLimit(rules, dataset.rules);
  return sameRules && Object.entries(wanted.declared).every(([table, schema]) => hasShape(tableOf(dataset.schemas, table), schema));
}

function sameLimit(a: LoadRules, b: LoadRules): boolean {
  return JSON.stringify(a.maxRejects) === JSON.stringify(b.maxRejects);
}

function hasShape(have: TableSchema | undefined, wanted: TableSchema): boolean {
  return have !== undefined && sameShape(have, wanted);
}

/** Throws `not_found`. */
export async function getDataset(deps: DatasetDeps, caller: Caller, id: DatasetId): Promise<Dataset> {
  requireScope(caller, "read");
  return known(await deps.catalog.byId(caller.org, id), id);
}

export async function datasetTotals(deps: DatasetDeps, id: DatasetId): Promise<DatasetTotals> {
  return deps.catalog.totals(id);
}

/** One page by ascending id, or the one dataset at exactly this path. */
export async function listDatasets(
  deps: DatasetDeps,
  caller: Caller,
  query: { readonly path: string | null; readonly after: DatasetId | null; readonly limit: number },
): Promise<readonly Dataset[]> {
  requireScope(caller, "read");
  if (query.path === null) return deps.catalog.list(caller.org, query);
  const found = await deps.catalog.byPath(caller.org, parsePath(query.path));
  return found ? [found] : [];
}

/** Changes how later files are taken. Throws `not_found`. */
export async function changeRules(deps: DatasetDeps, caller: Caller, id: DatasetId, rules: Partial<LoadRules>): Promise<Dataset> {
  requireScope(caller, "upload");
  known(await deps.catalog.byId(caller.org, id), id);
  await deps.catalog.setRules(caller.org, id, rules);
  return known(await deps.catalog.byId(caller.org, id), id);
}

/** Live parts at one version (null: the newest), so that a reader who pages sees one state. Throws `version_gone`. */
export async function listParts(
  deps: DatasetDeps,
  caller: Caller,
  id: DatasetId,
  at: { readonly version: number | null; readonly after: PartId | null; readonly limit: number; readonly kind: LivePart["kind"] },
): Promise<{ readonly version: number; readonly parts: readonly LivePart[] }> {
  const dataset = await getDataset(deps, caller, id);
  const version = at.version ?? dataset.version;
  const parts = await deps.catalog.parts(id, { ...at, version });
  if (!parts) {
    throw new Fault("version_gone", `cursor: version ${version} of the dataset can no longer be shown; begin again without a cursor`, {
      field: "cursor",
      value: version,
    });
  }
  return { version, parts };
}

/** A declared table's schema, its columns numbered from 1. Throws `invalid_field` for doubled names and too many columns. */
export function declaredSchema(columns: DeclaredColumns, field: string): TableSchema {
  if (columns.length === 0) throw new Fault("invalid_field", `${field}: must name at least one column`, { field });
  if (columns.length > MAX_COLUMNS)
    throw new Fault("invalid_field", `${field}: has more than ${MAX_COLUMNS} columns`, { field, limit: MAX_COLUMNS });
  const seen = new Set<string>();
  const made = columns.map(({ name, type }, i): Column => {
    if (seen.has(name)) throw new Fault("invalid_field", `${field}: the column ${name} stands twice`, { field, value: name });
    seen.add(name);
    return { id: i + 1, name, type, declared: true };
  });
  return { columns: made, lastId: made.length };
}

function known(dataset: Dataset | null, id: DatasetId): Dataset {
  if (dataset) return dataset;
  throw new Fault("not_found", `dataset: there is no dataset ${id}`, { field: "dataset", value: id });
}
