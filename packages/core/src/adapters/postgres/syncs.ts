import { sql } from "kysely";
import { Fault } from "../../domain/fault.ts";
import type { DatasetId, GenerationId, OrgId, SyncId } from "../../domain/ids.ts";
import { newId, type Clock } from "../../domain/ids.ts";
import { isClosed, type SyncState, type SyncType } from "../../domain/sync.ts";
import type { NewSync, SyncHead, Syncs } from "../../ports/syncs.ts";
import { closeSync, decide, mayComplete } from "./complete-sync.ts";
import { type Db, json, lock, row, rows, transact, type Tx } from "./connection.ts";
import { dropGeneration } from "./generations.ts";
import { count } from "./sync-counts.ts";

interface HeadRow {
  id: SyncId;
  org_id: OrgId;
  dataset_id: DatasetId;
  path: string;
  state: SyncState;
  type: SyncType;
}

export function postgresSyncs(db: Db, clock: Clock): Syncs {
  return {
    start: (sync) => transact(db, (tx) => start(tx, clock, sync)),
    head: async (org, sync) => {
      const found = await row(
        db,
        sql<HeadRow>`SELECT id, org_id, dataset_id, path, state, type FROM syncs WHERE id = ${sync} AND org_id = ${org}`,
      );
      return found && toHead(found);
    },
    end: (org, sync) => transact(db, (tx) => end(tx, org, sync)),
    cancel: (org, sync) => transact(db, (tx) => cancel(tx, org, sync)),
    implicit: (org, dataset) => implicit(db, org, dataset),
    decide: async (sync, trashDays, remade) => {
      const dataset = await mayComplete(db, sync);
      return dataset === null ? { step: "not_ready" } : transact(db, (tx) => decide(tx, clock, { id: sync, dataset }, trashDays, remade));
    },
    close: (sync) => closeSync(db, sync),
    due: (limit) => due(db, limit),
  };
}

const toHead = (found: HeadRow): SyncHead => ({
  id: found.id,
  org: found.org_id,
  dataset: found.dataset_id,
  path: found.path,
  state: found.state,
  type: found.type,
});

/** Ids are drawn under the org's lock, so that they ascend in commit order and pages of a list stay where they are. */
async function start(tx: Tx, clock: Clock, sync: NewSync): Promise<SyncId> {
  await lock(tx, "dataset", sync.dataset, "shared");
  const dataset = await row(
    tx,
    sql<{
      path: string;
      version: number;
      declared: unknown;
    }>`SELECT path, version, declared FROM datasets WHERE id = ${sync.dataset} AND org_id = ${sync.org}`,
  );
  if (!dataset) throw new Fault("not_found", `there is no dataset ${sync.dataset}`, { value: sync.dataset });
  const generation = sync.type === "full" ? newId<GenerationId>(clock) : null;
  await lock(tx, "syncIds", sync.org);
  const started = await row(
    tx,
    sql<{ id: SyncId }>`
      INSERT INTO syncs (id, org_id, dataset_id, name, path, type, state, on_file_error, allow_empty, on_bad_row, max_rejects, idle_ms, generation_id, start_version)
      VALUES (nextval('sync_ids'), ${sync.org}, ${sync.dataset}, ${sync.name}, ${dataset.path}, ${sync.type}, 'open', ${sync.onFileError}, ${sync.allowEmpty}, ${sync.onBadRow},
        ${sync.maxRejects === null ? null : json(sync.maxRejects)}, ${sync.idleMs}, ${generation}, ${dataset.version}) RETURNING id`,
  );
  if (!started) throw new Error("a sync was inserted without an id");
  if (generation !== null) {
    await rows(
      tx,
      sql`WITH d AS (UPDATE datasets SET last_generation = last_generation + 1 WHERE id = ${sync.dataset} RETURNING last_generation)
          INSERT INTO generations (id, dataset_id, number, state, sync_id, start_order, schemas) SELECT ${generation}, ${sync.dataset}, last_generation, 'building', ${started.id}, ${started.id}, ${json(dataset.declared)} FROM d`,
    );
  }
  return started.id;
}

async function lockSync(
  tx: Tx,
  org: OrgId,
  sync: SyncId,
): Promise<HeadRow & { generation_id: GenerationId | null; outcome: string | null }> {
  const found = await row(
    tx,
    sql<
      HeadRow & { generation_id: GenerationId | null; outcome: string | null }
    >`SELECT * FROM syncs WHERE id = ${sync} AND org_id = ${org} AND NOT implicit FOR NO KEY UPDATE`,
  );
  if (!found) throw new Fault("not_found", `sync_id: there is no sync ${sync}`, { field: "sync_id", value: sync });
  return found;
}

async function end(tx: Tx, org: OrgId, sync: SyncId): Promise<SyncState> {
  const found = await lockSync(tx, org, sync);
  if (found.state === "open") {
    await rows(tx, sql`UPDATE syncs SET state = 'ending', ending_at = clock_timestamp() WHERE id = ${sync}`);
    return "ending";
  }
  if (found.state === "cancelled" || found.state === "expired") {
    throw new Fault("sync_closed", `sync_id: sync ${sync} cannot be ended, it is ${found.state}`, { field: "sync_id", value: sync });
  }
  return found.state;
}

async function cancel(tx: Tx, org: OrgId, sync: SyncId): Promise<void> {
  const found = await lockSync(tx, org, sync);
  if (isClosed(found.state) || found.outcome !== null) {
    throw new Fault("sync_closed", `sync_id: sync ${sync} cannot be cancelled, it is ${found.outcome ?? found.state}`, {
      field: "sync_id",
      value: sync,
    });
  }
  await abandonSync(tx, found, "cancelled", "cancelled on request");
}

/** Closes a sync whose row is locked without an outcome: fails what is open (moving epochs on, so that workers stop) and drops what a full one built. */
async function abandonSync(
  tx: Tx,
  sync: { id: SyncId; generation_id: GenerationId | null },
  state: "cancelled" | "expired",
  why: string,
): Promise<void> {
  const fault = { code: state, message: `its sync ${sync.id} was ${state}: ${why}` };
  const failed = await rows(
    tx,
    sql`WITH open AS MATERIALIZED (
          SELECT id FROM files WHERE sync_id = ${sync.id} AND state IN ('fetching', 'staged', 'claimed', 'waiting') ORDER BY id FOR UPDATE)
        UPDATE files SET state = 'failed', epoch = epoch + 1, fault = ${json(fault)}, lease_until = NULL, enqueued_at = NULL, finished_at = clock_timestamp()
        FROM open WHERE files.id = open.id RETURNING files.id`,
  );
  if (failed.length > 0) await count(tx, sync.id, { failed: failed.length });
  if (sync.generation_id !== null) await dropGeneration(tx, sync.generation_id);
  await rows(tx, sql`UPDATE syncs SET state = ${state}, message = ${why}, ended_at = clock_timestamp() WHERE id = ${sync.id}`);
}

async function implicit(db: Db, org: OrgId, dataset: DatasetId): Promise<SyncId> {
  const find = sql<{ id: SyncId }>`SELECT id FROM syncs WHERE dataset_id = ${dataset} AND org_id = ${org} AND implicit`;
  const found = await row(db, find);
  if (found) return found.id;
  await transact(db, async (tx) => {
    await lock(tx, "syncIds", org);
    await rows(
      tx,
      sql`INSERT INTO syncs (id, org_id, dataset_id, name, path, type, state, implicit, start_version)
          SELECT nextval('sync_ids'), org_id, id, 'uploads without a sync', path, 'incremental', 'open', true, version FROM datasets WHERE id = ${dataset} AND org_id = ${org}
          ON CONFLICT DO NOTHING`,
    );
  });
  const made = await row(db, find);
  if (!made) throw new Fault("not_found", `there is no dataset ${dataset}`, { value: dataset });
  return made.id;
}

/** Open syncs whose timeout is over, counted from their start and from the last upload that began. */
const IDLE = sql`s.state = 'open' AND NOT s.implicit AND s.idle_ms IS NOT NULL AND s.started_at < clock_timestamp() - s.idle_ms * interval '1 ms'
  AND NOT EXISTS (SELECT 1 FROM files f WHERE f.sync_id = s.id AND f.received_at > clock_timestamp() - s.idle_ms * interval '1 ms')`;

/** Expires what is idle too long, then tells what may be complete. */
async function due(db: Db, limit: number): Promise<readonly SyncId[]> {
  const idle = await rows(db, sql<{ id: SyncId; org_id: OrgId }>`SELECT s.id, s.org_id FROM syncs s WHERE ${IDLE} LIMIT ${limit}`);
  for (const sync of idle) {
    await transact(db, async (tx) => {
      const found = await lockSync(tx, sync.org_id, sync.id);
      // Asked again under the lock: an upload may have been committed meanwhile.
      const still = await row(tx, sql`SELECT 1 FROM syncs s WHERE s.id = ${sync.id} AND ${IDLE}`);
      if (still) await abandonSync(tx, found, "expired", "no upload came for longer than its timeout");
    });
  }
  const ending = await rows(
    db,
    sql<{ id: SyncId }>`
      SELECT id FROM syncs s WHERE state = 'ending' AND NOT EXISTS (SELECT 1 FROM files f WHERE f.sync_id = s.id AND f.state IN ('fetching', 'staged', 'claimed', 'waiting'))
      ORDER BY id LIMIT ${limit}`,
  );
  return ending.map((sync) => sync.id);
}
