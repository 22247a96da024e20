import { sql } from "kysely";
import { type Clock, type DatasetId, type GenerationId, newId, type PartId, type SyncId, type TrashId } from "../../domain/ids.ts";
import { type OnFileError, planFullSync, planIncrementalSync, type SyncState, type SyncType } from "../../domain/sync.ts";
import { tableOf, type TableSchemas, withTable } from "../../domain/table-schema.ts";
import type { Remade } from "../../ports/publication.ts";
import type { CompletionStep } from "../../ports/syncs.ts";
import { type Db, json, lock, row, rows, type Tx } from "./connection.ts";
import { dropGeneration } from "./generations.ts";
import { bumpVersion, fitsUnder, misfits, partColumns, type PartColumns, replaceParts } from "./parts.ts";
import { remakeSources } from "./remake-sources.ts";

interface SyncRecord {
  id: SyncId;
  dataset_id: DatasetId;
  state: SyncState;
  type: SyncType;
  on_file_error: OnFileError;
  allow_empty: boolean;
  generation_id: GenerationId | null;
  start_version: number;
  outcome: string | null;
  outcome_version: number | null;
}

interface Counts {
  total: number;
  failed: number;
  loaded: number;
  stored: number;
}

type SyncFacts = SyncRecord & Counts;

/** Files already made again for the carry-over, and the schema version they were made under. */
export interface CarriedFiles {
  readonly schemas: TableSchemas;
  readonly basedOn: number;
  readonly files: readonly Remade[];
}

const OPEN_FILES_OF = sql`SELECT 1 FROM files WHERE state IN ('fetching', 'staged', 'claimed', 'waiting') AND sync_id =`;

/** The dataset of a sync that may be complete; null while it is open or has open files. Asked for every file that is done, so it locks nothing. */
export async function mayComplete(db: Db, sync: SyncId): Promise<DatasetId | null> {
  const of = await row(
    db,
    sql<{
      dataset_id: DatasetId;
      busy: boolean;
    }>`SELECT dataset_id, state = 'open' OR EXISTS (${OPEN_FILES_OF} s.id) AS busy FROM syncs s WHERE id = ${sync}`,
  );
  return !of || of.busy ? null : of.dataset_id;
}

/** One step towards a sync's completion, under the dataset's exclusive lock: nobody publishes meanwhile. */
export async function decide(
  tx: Tx,
  clock: Clock,
  { id, dataset }: { readonly id: SyncId; readonly dataset: DatasetId },
  trashDays: number,
  carried?: CarriedFiles,
): Promise<CompletionStep> {
  await lock(tx, "dataset", dataset);
  const sync = await row(tx, sql<SyncRecord>`SELECT * FROM syncs WHERE id = ${id} FOR NO KEY UPDATE`);
  if (!sync || sync.state === "open") return { step: "not_ready" };
  if (sync.state !== "ending") return { step: "closed", state: sync.state };
  if (sync.outcome !== null && sync.outcome_version !== null)
    return { step: "decided", dataset: sync.dataset_id, version: sync.outcome_version };
  const open = await row(tx, sql`${OPEN_FILES_OF} ${id} LIMIT 1`);
  if (open) return { step: "not_ready" };
  // Read after no file was found open: a file that fails just now takes no lock of the dataset, and must be among the failed.
  const counts = await row(
    tx,
    sql<Counts>`SELECT coalesce(sum(total), 0)::bigint AS total, coalesce(sum(failed), 0)::bigint AS failed, coalesce(sum(loaded), 0)::bigint AS loaded,
      coalesce(sum(stored), 0)::bigint AS stored FROM sync_counts WHERE sync_id = ${id}`,
  );
  if (!counts) throw new Error(`sync ${id} has no totals`);
  const facts = { ...sync, ...counts };
  return facts.type === "full" ? decideFull(tx, clock, facts, trashDays, carried) : decideIncremental(tx, facts);
}

async function decideIncremental(tx: Tx, facts: SyncFacts): Promise<CompletionStep> {
  const plan = planIncrementalSync(facts);
  return noteOutcome(tx, facts, plan.state, plan.why ?? "", null);
}

async function noteOutcome(
  tx: Tx,
  facts: SyncFacts,
  outcome: "finished" | "failed" | "superseded",
  why: string,
  version: number | null,
): Promise<CompletionStep> {
  const noted = await row(
    tx,
    sql<{
      outcome_version: number;
    }>`UPDATE syncs SET outcome = ${outcome}, message = ${why}, outcome_version = coalesce(${version}, (SELECT version FROM datasets WHERE id = ${facts.dataset_id}))
      WHERE id = ${facts.id} RETURNING outcome_version`,
  );
  return { step: "decided", dataset: facts.dataset_id, version: noted?.outcome_version ?? 0 };
}

interface Generation {
  id: GenerationId;
  number: number;
  schemas: TableSchemas;
  schema_version: number;
  start_order: number;
}

const generationById = (tx: Tx, id: GenerationId) =>
  row(tx, sql<Generation>`SELECT id, number, schemas, schema_version, start_order FROM generations WHERE id = ${id}`);

async function decideFull(tx: Tx, clock: Clock, facts: SyncFacts, trashDays: number, carried?: CarriedFiles): Promise<CompletionStep> {
  const dataset = await row(
    tx,
    sql<{
      live_generation_id: GenerationId;
      org_id: number;
      path: string;
    }>`SELECT live_generation_id, org_id, path FROM datasets WHERE id = ${facts.dataset_id}`,
  );
  const building = facts.generation_id && (await generationById(tx, facts.generation_id));
  const live = dataset && (await generationById(tx, dataset.live_generation_id));
  if (!dataset || !building || !live) throw new Error(`full sync ${facts.id} lost its dataset or generation`);
  const plan = planFullSync({
    loaded: facts.loaded,
    stored: facts.stored,
    failed: facts.failed,
    allowEmpty: facts.allow_empty,
    onFileError: facts.on_file_error,
    start: facts.id,
    liveStart: live.start_order === 0 ? null : live.start_order,
  });
  if (plan.do === "keep_old") {
    await dropGeneration(tx, building.id);
    return noteOutcome(tx, facts, plan.state, plan.why, null);
  }
  const parts = await carriedParts(tx, live.id, facts);
  const plain: Carrying = { schemas: adoptTables(building.schemas, live.schemas, parts), remade: new Map() };
  const made = carried && (await isCurrent(tx, building, carried)) ? carrying(carried, live, parts) : plain;
  const misfit = parts.filter((part) => !isCarried(part, made));
  if (misfit.length === 0) return swap(tx, clock, { facts, live, building, trashDays, parts, ...made });
  // All over again, with whatever fits under neither: a file that fits as it is may not fit beside one that has to be made again.
  const remake = parts.filter((part) => part.kind === "part" && !(partFits(part, plain.schemas) && partFits(part, made.schemas)));
  return carryStep(tx, facts, { ...building, schemas: plain.schemas }, live, dataset.path, remake);
}

/** The schemas of a new generation, and the files of it that were made again under them. */
interface Carrying {
  readonly schemas: TableSchemas;
  readonly remade: ReadonlyMap<string, Remade>;
}

const carrying = (carried: CarriedFiles, live: Generation, parts: readonly CarriedPart[]): Carrying => ({
  schemas: adoptTables(carried.schemas, live.schemas, parts),
  remade: new Map(carried.files.map((file) => [file.file as string, file])),
});

/** False when the new generation's schemas, or the epoch of a file that was made again, moved on meanwhile. */
async function isCurrent(tx: Tx, building: Generation, carried: CarriedFiles): Promise<boolean> {
  if (carried.basedOn !== building.schema_version) return false;
  const wanted = carried.files.map(({ file, epoch }) => ({ file, epoch }));
  const newest = await rows(
    tx,
    sql`SELECT 1 FROM jsonb_to_recordset(${json(wanted)}) AS w(file uuid, epoch int) JOIN files f ON f.id = w.file AND f.epoch = w.epoch AND f.state = 'loaded' FOR UPDATE OF f`,
  );
  return newest.length === wanted.length;
}

function isCarried(part: CarriedPart, { schemas, remade }: Carrying): boolean {
  return part.kind === "opaque" || remade.has(part.file_id) || partFits(part, schemas);
}

interface CarriedPart {
  id: PartId;
  kind: "part" | "opaque";
  table_name: string | null;
  file_id: string;
  loaded_version: number;
  schema_hash: string | null;
  columns: PartColumns | null;
}

/** What incremental syncs loaded into the live generation since this full sync began. */
async function carriedParts(tx: Tx, live: GenerationId, facts: SyncFacts): Promise<CarriedPart[]> {
  return rows(
    tx,
    sql<CarriedPart>`
      SELECT p.id, p.kind, p.table_name, pf.file_id, p.loaded_version, p.schema_hash, ps.columns
      FROM parts p JOIN part_files pf ON pf.part_id = p.id JOIN files f ON f.id = pf.file_id JOIN syncs s ON s.id = f.sync_id LEFT JOIN part_schemas ps ON ps.hash = p.schema_hash
      WHERE p.generation_id = ${live} AND p.until_version IS NULL AND p.loaded_version > ${facts.start_version} AND s.type = 'incremental'`,
  );
}

function partFits(part: CarriedPart, schemas: TableSchemas): boolean {
  const schema = part.table_name === null ? undefined : tableOf(schemas, part.table_name);
  return schema !== undefined && part.columns !== null && fitsUnder(part.columns, partColumns(schema));
}

/** A table that the full sync did not bring keeps the schema it has. */
function adoptTables(schemas: TableSchemas, live: TableSchemas, parts: readonly CarriedPart[]): TableSchemas {
  let merged = schemas;
  for (const { table_name: table } of parts) {
    const known = table === null ? undefined : tableOf(live, table);
    if (table !== null && known && !tableOf(merged, table)) merged = withTable(merged, table, known);
  }
  return merged;
}

async function carryStep(
  tx: Tx,
  facts: SyncFacts,
  building: Generation,
  live: Generation,
  path: string,
  misfit: readonly CarriedPart[],
): Promise<CompletionStep> {
  const remake = [];
  for (const table of new Set(misfit.map((part) => part.table_name ?? ""))) {
    const hashes = new Set(misfit.filter((part) => part.table_name === table).map((part) => part.schema_hash ?? ""));
    const files = new Set(misfit.map((part) => part.file_id));
    const sources = await remakeSources(tx, live.id, [...hashes], table);
    remake.push(...sources.filter((source) => files.has(source.file)).map((source) => ({ table, source })));
  }
  return {
    step: "carry",
    dataset: facts.dataset_id,
    carry: {
      generation: building.id,
      number: building.number,
      path,
      schemas: building.schemas,
      schemaVersion: building.schema_version,
      remake,
    },
  };
}

interface Swap {
  readonly facts: SyncFacts;
  readonly live: Generation;
  readonly building: Generation;
  readonly schemas: TableSchemas;
  readonly trashDays: number;
  readonly parts: readonly CarriedPart[];
  readonly remade: ReadonlyMap<string, Remade>;
}

/** The swap: one transaction after which readers see the new generation, with what was carried over, and the old one lies in trash. */
async function swap(tx: Tx, clock: Clock, { facts, live, building, schemas, trashDays, parts, remade }: Swap): Promise<CompletionStep> {
  const version = await bumpVersion(tx, facts.dataset_id);
  await rows(tx, sql`UPDATE generations SET state = 'trashed', until_version = ${version} WHERE id = ${live.id}`);
  await rows(
    tx,
    sql`INSERT INTO trash (id, org_id, dataset_id, generation_id, kind, state, sync_id, expires_at)
        SELECT ${newId<TrashId>(clock)}, org_id, id, ${live.id}, 'full_sync', 'trashed', ${facts.id}, clock_timestamp() + ${trashDays} * interval '1 day' FROM datasets WHERE id = ${facts.dataset_id}`,
  );
  await rows(
    tx,
    sql`UPDATE generations SET state = 'live', since_version = ${version}, schemas = ${json(schemas)}, schema_version = schema_version + 1 WHERE id = ${building.id}`,
  );
  await rows(tx, sql`UPDATE datasets SET live_generation_id = ${building.id} WHERE id = ${facts.dataset_id}`);
  const copies = parts.filter((part) => part.kind === "opaque" || !remade.has(part.file_id));
  await rows(
    tx,
    sql`WITH pairs AS (SELECT * FROM jsonb_to_recordset(${json(copies.map((part) => ({ old: part.id, new: newId<PartId>(clock), file: part.file_id })))}) AS c(old uuid, new uuid, file uuid)),
        copied AS (
          INSERT INTO parts (id, org_id, dataset_id, generation_id, kind, table_name, name, object_key, rows, bytes, sha256, schema_hash, loaded_version, since_version)
          SELECT c.new, p.org_id, p.dataset_id, ${building.id}, p.kind, p.table_name, p.name, p.object_key, p.rows, p.bytes, p.sha256, p.schema_hash, p.loaded_version, ${version}
          FROM pairs c JOIN parts p ON p.id = c.old RETURNING id, rows)
        INSERT INTO part_files (part_id, file_id, rows) SELECT copied.id, c.file, copied.rows FROM copied JOIN pairs c ON c.new = copied.id`,
  );
  for (const file of remade.values()) {
    // The version that first showed its rows stays: what counts for a later full sync is when it was loaded, not when it was made again.
    const first = Math.min(version, ...parts.filter((part) => part.file_id === file.file).map((part) => part.loaded_version));
    if (!(await replaceParts(tx, building.id, version, schemas, file, first)))
      throw new Error(`file ${file.file} was made again by another attempt meanwhile`);
  }
  for (const [table, schema] of Object.entries(schemas)) {
    if ((await misfits(tx, building.id, table, schema)).length > 0)
      throw new Error(`parts of table ${table} of sync ${facts.id} do not fit its schema`);
  }
  return noteOutcome(tx, facts, "finished", facts.failed > 0 ? `${facts.failed} of ${facts.total} files failed` : "", version);
}

/** Shows the decided outcome once current.json has reached it. */
export async function closeSync(db: Db, sync: SyncId): Promise<void> {
  await rows(
    db,
    sql`UPDATE syncs s SET state = s.outcome, ended_at = clock_timestamp() FROM datasets d
        WHERE s.id = ${sync} AND s.state = 'ending' AND s.outcome IS NOT NULL AND d.id = s.dataset_id AND d.written_version >= s.outcome_version`,
  );
}
