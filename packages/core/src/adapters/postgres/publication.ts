import { isDeepStrictEqual } from "node:util";
import { sql } from "kysely";
import { checkAccount, failedAccount } from "../../domain/file.ts";
import type { DatasetId, Epoch, FileId, GenerationId, OrgId, SyncId } from "../../domain/ids.ts";
import {
  type Column,
  mergeNumbers,
  NO_NUMBERS,
  sameShape,
  sameType,
  tableOf,
  type TableSchema,
  type TableSchemas,
  withTable,
} from "../../domain/table-schema.ts";
import type { Findings, LoadedFile, Publication, PublishResult } from "../../ports/publication.ts";
import { type Db, json, lock, LOCKS, row, rows, transact, type Tx } from "./connection.ts";
import { bumpVersion, insertRejects, misfits, noteLists, partRecords, recordFindings, replaceParts } from "./parts.ts";
import { remakeSources } from "./remake-sources.ts";
import { count, randomShard } from "./sync-counts.ts";

export function postgresPublication(db: Db): Publication {
  return {
    publishLoaded: (loaded) => publishing(db, (tx) => publishLoaded(tx, loaded)),
    publishStored: (stored) => publishing(db, (tx) => publishStored(tx, stored)),
    publishFailed: (failed) => transact(db, (tx) => publishFailed(tx, failed)),
    toRemake: async (generation, table, schema, exactly) =>
      remakeSources(db, generation, await misfits(db as Tx, generation, table, schema, exactly), table),
    mintRemake: async (file) => {
      const found = await row(
        db,
        sql<{ epoch: Epoch }>`UPDATE files SET epoch = epoch + 1 WHERE id = ${file} AND state = 'loaded' RETURNING epoch`,
      );
      if (!found) throw new Error(`file ${file} is not loaded, so its parts cannot be made again`);
      return found.epoch;
    },
    publishSchema: (change) => publishing(db, (tx) => publishSchema(tx, change)),
  };
}

/** Thrown to undo a transaction that found the world changed; its result is the answer. */
class Undo extends Error {
  readonly result: PublishResult;
  constructor(result: PublishResult) {
    super(`publication undone: ${result}`);
    this.result = result;
  }
}

async function publishing(db: Db, work: (tx: Tx) => Promise<PublishResult>): Promise<PublishResult> {
  try {
    return await transact(db, work);
  } catch (error) {
    if (error instanceof Undo) return error.result;
    throw error;
  }
}

interface Standing {
  state: string;
  epoch: Epoch;
  sync_id: SyncId;
  dataset_id: DatasetId;
  org_id: OrgId;
  name: string;
  generation: GenerationId;
  live: boolean;
  schemas: TableSchemas;
  schema_version: number;
}

/** Locks the dataset (shared: others publish beside us; exclusive: schemas or generations change), then the file, and reads where both stand. */
async function hold(tx: Tx, file: FileId, mode: "shared" | "exclusive"): Promise<Standing | null> {
  const locked = sql.raw(mode === "shared" ? "pg_advisory_xact_lock_shared" : "pg_advisory_xact_lock");
  const of = await row(tx, sql`SELECT ${locked}(${LOCKS.dataset}::int, hashtext(dataset_id::text)) FROM files WHERE id = ${file}`);
  if (!of) return null;
  // A statement of its own: it must see what others committed before the lock was granted.
  return row(
    tx,
    sql<Standing>`
      SELECT f.state, f.epoch, f.sync_id, f.dataset_id, f.org_id, f.name, g.id AS generation, g.id = d.live_generation_id AS live, g.schemas, g.schema_version
      FROM files f JOIN syncs s ON s.id = f.sync_id JOIN datasets d ON d.id = f.dataset_id JOIN generations g ON g.id = coalesce(s.generation_id, d.live_generation_id)
      WHERE f.id = ${file} FOR UPDATE OF f`,
  );
}

/** An answer without writing, or null when this attempt may publish. */
function judge(standing: Standing | null, epoch: Epoch, generation: GenerationId, done: "loaded" | "stored"): PublishResult | null {
  if (!standing || standing.epoch !== epoch) return "stale";
  if (standing.state === done) return "done";
  if (standing.state !== "claimed") return "stale";
  return standing.generation === generation ? null : "conflict";
}

async function publishLoaded(tx: Tx, loaded: LoadedFile): Promise<PublishResult> {
  const standing = await hold(tx, loaded.file, loaded.change === "none" ? "shared" : "exclusive");
  const early = judge(standing, loaded.epoch, loaded.generation, "loaded");
  if (early !== null || !standing) return early ?? "stale";
  const tables = Object.entries(loaded.schemas);
  const known = tables.every(([table, schema]) => sameShape(tableOf(standing.schemas, table) ?? NO_TABLE, schema));
  if (!known && (loaded.change === "none" || standing.schema_version !== loaded.basedOn)) return "conflict";
  await growSchemas(tx, standing, loaded.schemas);
  if (loaded.remade.length > 0) await replaceRemade(tx, standing, loaded);
  await showLoaded(tx, standing, loaded);
  if (loaded.change === "widened") await mustFit(tx, standing.generation, tables);
  return "done";
}

/** The files made again are shown in a version of their own, before the one that shows the file: nobody sees either before the commit. */
async function replaceRemade(tx: Tx, standing: Standing, loaded: LoadedFile): Promise<void> {
  const version = standing.live ? await bumpVersion(tx, standing.dataset_id) : 0;
  for (const remade of loaded.remade) {
    if (!(await replaceParts(tx, standing.generation, version, loaded.schemas, remade))) throw new Undo("conflict");
  }
}

/**
 * Moves the file, counts it and shows its parts, in one statement: everyone who publishes into the dataset waits for its row
 * from `bumped` until the commit (31 ms a file at 16 uploads at once when seven statements lay between).
 */
async function showLoaded(tx: Tx, standing: Standing, { file, findings, parts, schemas }: LoadedFile): Promise<void> {
  const { lists, data } = partRecords(schemas, parts);
  const counts = checkAccount(findings.counts);
  await insertRejects(tx, file, findings.rejects);
  await rows(
    tx,
    sql`WITH bumped AS (
          UPDATE datasets SET version = version + 1 WHERE id = ${standing.dataset_id} AND ${standing.live}::boolean RETURNING version
        ), at AS MATERIALIZED (SELECT coalesce((SELECT version FROM bumped), 0) AS version),
        noted AS (${noteLists(lists)}),
        new AS (
          INSERT INTO parts (id, org_id, dataset_id, generation_id, kind, table_name, name, object_key, rows, bytes, sha256, schema_hash, loaded_version, since_version)
          SELECT p.id, ${standing.org_id}, ${standing.dataset_id}, ${standing.generation}, 'part', p."table", ${standing.name}, p.key, p.rows, p.bytes, p.sha256, p.hash,
            at.version, at.version
          FROM at, jsonb_to_recordset(${json(data)}) AS p(id uuid, "table" text, key text, rows bigint, bytes bigint, sha256 text, hash text)
          RETURNING id, rows),
        linked AS (INSERT INTO part_files (part_id, file_id, rows) SELECT id, ${file}, rows FROM new),
        counted AS (
          INSERT INTO sync_counts AS c (sync_id, shard, loaded) SELECT ${standing.sync_id}::bigint, ${randomShard()}::smallint, 1 FROM at
          ON CONFLICT (sync_id, shard) DO UPDATE SET loaded = c.loaded + EXCLUDED.loaded)
        UPDATE files SET state = 'loaded', lease_until = NULL, fault = NULL, finished_at = clock_timestamp(), progress_rows = ${counts.read}, progress_bytes = bytes,
          rows_read = ${counts.read}, rows_loaded = ${counts.loaded}, rows_rejected = ${counts.rejected}, rows_skipped = ${counts.skipped}, warnings = ${counts.warnings},
          rejects_key = ${findings.rejectsKey}, detected = ${json(findings.detected)}
        WHERE id = ${file}`,
  );
}

const NO_TABLE: TableSchema = { columns: [], lastId: 0 };

/** A file that was loaded while others were made again may have slipped in with the old type. */
async function mustFit(tx: Tx, generation: GenerationId, tables: readonly (readonly [string, TableSchema])[]): Promise<void> {
  for (const [table, schema] of tables) {
    if ((await misfits(tx, generation, table, schema)).length > 0) throw new Undo("conflict");
  }
}

/**
 * Writes the file's schemas into the generation's when they differ. What is known of a column's numbers is merged with what
 * was published since, and counts as a change: a widening decided on less would round.
 */
async function growSchemas(tx: Tx, standing: Standing, schemas: TableSchemas): Promise<void> {
  if (Object.entries(schemas).every(([table, schema]) => covers(tableOf(standing.schemas, table), schema))) return;
  const now = await row(
    tx,
    sql<{ schemas: TableSchemas }>`SELECT schemas FROM generations WHERE id = ${standing.generation} FOR NO KEY UPDATE`,
  );
  let merged = now?.schemas ?? {};
  for (const [table, schema] of Object.entries(schemas)) merged = withTable(merged, table, mergeFacts(tableOf(merged, table), schema));
  await rows(
    tx,
    sql`UPDATE generations SET schemas = ${json(merged)}, schema_version = schema_version + 1 WHERE id = ${standing.generation}`,
  );
}

/** True when the schema brings nothing that the current one does not say. Compared by value: jsonb gives an object's members back in another order. */
function covers(current: TableSchema | undefined, schema: TableSchema): boolean {
  return current !== undefined && isDeepStrictEqual(mergeFacts(current, schema), current);
}

function mergeFacts(current: TableSchema | undefined, schema: TableSchema): TableSchema {
  const before = new Map((current?.columns ?? []).map((column) => [column.id, column]));
  const merge = (column: Column): Column => {
    const old = before.get(column.id);
    // Declared meanwhile, by a change that left the type as it was: it stays declared.
    const declared = column.declared || (old?.declared === true && sameType(old.type, column.type));
    if (!old?.numbers && !column.numbers) return { ...column, declared };
    return { ...column, declared, numbers: mergeNumbers(old?.numbers ?? NO_NUMBERS, column.numbers ?? NO_NUMBERS) };
  };
  return { columns: schema.columns.map(merge), lastId: Math.max(schema.lastId, current?.lastId ?? 0) };
}

async function publishStored(tx: Tx, stored: Parameters<Publication["publishStored"]>[0]): Promise<PublishResult> {
  const standing = await hold(tx, stored.file, "shared");
  const early = judge(standing, stored.epoch, stored.generation, "stored");
  if (early !== null || !standing) return early ?? "stale";
  const version = standing.live ? await bumpVersion(tx, standing.dataset_id) : 0;
  const { part } = stored;
  await rows(
    tx,
    sql`WITH new AS (
          INSERT INTO parts (id, org_id, dataset_id, generation_id, kind, name, object_key, bytes, sha256, loaded_version, since_version)
          VALUES (${part.id}, ${standing.org_id}, ${standing.dataset_id}, ${standing.generation}, 'opaque', ${standing.name}, ${part.key}, ${part.bytes}, ${part.sha256}, ${version}, ${version})
          RETURNING id)
        INSERT INTO part_files (part_id, file_id, rows) SELECT id, ${stored.file}, 0 FROM new`,
  );
  await rows(
    tx,
    sql`UPDATE files SET state = 'stored', detected = ${json(stored.detected)}, content_type = ${stored.contentType}, lease_until = NULL, fault = NULL,
          progress_bytes = bytes, finished_at = clock_timestamp() WHERE id = ${stored.file}`,
  );
  await count(tx, standing.sync_id, { stored: 1 });
  return "done";
}

async function publishFailed(tx: Tx, failed: Parameters<Publication["publishFailed"]>[0]): Promise<"done" | "stale"> {
  const standing = await row(
    tx,
    sql<{
      state: string;
      sync_id: SyncId;
    }>`SELECT state, sync_id FROM files WHERE id = ${failed.file} AND epoch = ${failed.epoch} FOR UPDATE`,
  );
  if (standing?.state === "failed") return "done";
  if (standing?.state !== "claimed") return "stale";
  const findings: Findings = { ...failed.findings, counts: failedAccount(failed.findings.counts) };
  await recordFindings(tx, failed.file, findings);
  await rows(
    tx,
    sql`UPDATE files SET state = 'failed', fault = ${json(failed.fault)}, lease_until = NULL, finished_at = clock_timestamp() WHERE id = ${failed.file}`,
  );
  await count(tx, standing.sync_id, { failed: 1 });
  return "done";
}

async function publishSchema(tx: Tx, change: Parameters<Publication["publishSchema"]>[0]): Promise<PublishResult> {
  await lock(tx, "dataset", change.dataset);
  const generation = await row(
    tx,
    sql<{ schema_version: number; live: boolean }>`
      SELECT g.schema_version, g.id = d.live_generation_id AS live FROM generations g JOIN datasets d ON d.id = g.dataset_id WHERE g.id = ${change.generation}`,
  );
  if (!generation?.live || generation.schema_version !== change.basedOn) return "conflict";
  const version = await bumpVersion(tx, change.dataset);
  await rows(
    tx,
    sql`UPDATE generations SET schemas = schemas || ${json(change.schemas)}, schema_version = schema_version + 1 WHERE id = ${change.generation}`,
  );
  for (const remade of change.remade) {
    if (!(await replaceParts(tx, change.generation, version, change.schemas, remade))) throw new Undo("conflict");
  }
  await mustFit(tx, change.generation, Object.entries(change.schemas));
  return "done";
}
