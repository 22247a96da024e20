import { sql } from "kysely";
import type { DatasetId, Epoch, FileId, GenerationId, OrgId, SyncId } from "../../domain/ids.ts";
import { MAX_LOST_LEASES } from "../../domain/file.ts";
import { DEFAULT_RULES, type LoadRules } from "../../domain/options.ts";
import { parseFileOptions } from "../../domain/parse-options.ts";
import type { TableSchemas } from "../../domain/table-schema.ts";
import type { Job } from "../../ports/job-queue.ts";
import type { ClaimedFile, GenerationState, Work } from "../../ports/work.ts";
import { type Db, json, lock, row, rows, transact, type Tx } from "./connection.ts";

interface JobRow {
  id: string;
  epoch: number;
}

const toJob = (found: JobRow): Job => ({ kind: "file", file: found.id, epoch: found.epoch });
const fileJobs = (jobs: readonly Job[]) => json(jobs.flatMap((job) => (job.kind === "file" ? [{ id: job.file, epoch: job.epoch }] : [])));
const JOBS = (jobs: readonly Job[]) => sql`jsonb_to_recordset(${fileJobs(jobs)}) AS j(id uuid, epoch int)`;

/** `relaxed` does not wait for durability: marks and heartbeats that a crash takes back are made again. Claims and everything with an epoch wait. */
export function postgresWork(db: Db, relaxed: Db): Work {
  return {
    takeDue: async (org, bound) => {
      if (org !== null) return transact(relaxed, (tx) => takeDue(tx, org, bound));
      const orgs = await rows(
        db,
        sql<{
          org_id: OrgId;
        }>`SELECT DISTINCT org_id FROM files WHERE state IN ('staged', 'waiting') AND enqueued_at IS NULL AND due_at <= clock_timestamp()`,
      );
      const taken: Job[] = [];
      for (const each of orgs) taken.push(...(await transact(relaxed, (tx) => takeDue(tx, each.org_id, bound))));
      return taken;
    },
    untake: async (jobs) => {
      await rows(
        relaxed,
        sql`UPDATE files SET enqueued_at = NULL FROM ${JOBS(jobs)} WHERE files.id = j.id AND files.epoch = j.epoch AND state IN ('staged', 'waiting')`,
      );
    },
    claim: (job, worker, leaseMs) => claim(db, job, worker, leaseMs),
    target: async (file, epoch) => {
      const found = await row(
        db,
        sql<TargetRow>`SELECT ${TARGET} FROM files f ${TARGET_JOINS} WHERE f.id = ${file} AND f.epoch = ${epoch} AND f.state = 'claimed'`,
      );
      return found && toTarget(found);
    },
    heartbeat: async (held, leaseMs) => {
      const kept = await rows(
        relaxed,
        sql<{ id: FileId }>`
          WITH mine AS MATERIALIZED (
            SELECT f.id, h.rows, h.bytes FROM jsonb_to_recordset(${json(held)}) AS h(id uuid, epoch int, rows bigint, bytes bigint)
            JOIN files f ON f.id = h.id AND f.epoch = h.epoch AND f.state = 'claimed' ORDER BY f.id FOR UPDATE OF f
          )
          UPDATE files SET lease_until = clock_timestamp() + ${leaseMs} * interval '1 ms', progress_rows = mine.rows, progress_bytes = mine.bytes
          FROM mine WHERE files.id = mine.id RETURNING files.id`,
      );
      const ids = new Set(kept.map((file) => file.id));
      return held.filter((file) => !ids.has(file.id)).map((file) => file.id);
    },
    giveBack: async (file, epoch, why) => {
      await rows(
        db,
        sql`UPDATE files SET state = 'waiting', lease_until = NULL, worker = NULL, enqueued_at = NULL,
              due_at = clock_timestamp() + ${why.delayMs} * interval '1 ms', strikes = strikes + ${why.strike ? 1 : 0}
            WHERE id = ${file} AND epoch = ${epoch} AND state = 'claimed'`,
      );
    },
    overdue: (enqueuedMs, limit) => overdue(db, enqueuedMs, limit),
    putBack: async (jobs) => {
      if (jobs.length === 0) return 0;
      const back = await rows(
        db,
        sql<JobRow>`UPDATE files SET epoch = files.epoch + 1, enqueued_at = NULL, due_at = clock_timestamp() FROM ${JOBS(jobs)}
                    WHERE files.id = j.id AND files.epoch = j.epoch AND state IN ('staged', 'waiting') RETURNING files.id, files.epoch`,
      );
      return back.length;
    },
  };
}

/** Due files, oldest first, as far as the org's share of the queue has room: one dispatcher of an org at a time, or each would count the same room. */
async function takeDue(tx: Tx, org: OrgId, bound: number): Promise<Job[]> {
  await lock(tx, "dispatch", org);
  const taken = await rows(
    tx,
    sql<JobRow>`
      WITH room AS (
        SELECT ${bound}::int - count(*) AS free
        FROM (SELECT 1 FROM files WHERE org_id = ${org} AND state IN ('staged', 'waiting') AND enqueued_at IS NOT NULL LIMIT ${bound}) queued
      ), due AS MATERIALIZED (
        SELECT id FROM files WHERE org_id = ${org} AND state IN ('staged', 'waiting') AND enqueued_at IS NULL AND due_at <= clock_timestamp()
        ORDER BY due_at, id LIMIT (SELECT free FROM room) FOR UPDATE SKIP LOCKED
      ), taken AS (
        UPDATE files SET enqueued_at = clock_timestamp() FROM due WHERE files.id = due.id RETURNING files.id, files.epoch, files.due_at
      )
      SELECT id, epoch FROM taken ORDER BY due_at, id`,
  );
  return taken.map(toJob);
}

interface TargetRow {
  generation: GenerationId;
  number: number;
  path: string;
  schemas: TableSchemas;
  schema_version: number;
}

const TARGET = sql`g.id AS generation, g.number, d.path, g.schemas, g.schema_version`;
/** A file of a full sync loads into the generation that the sync builds, any other into the live one. */
const TARGET_JOINS = sql`JOIN syncs s ON s.id = f.sync_id JOIN datasets d ON d.id = f.dataset_id JOIN generations g ON g.id = coalesce(s.generation_id, d.live_generation_id)`;

const toTarget = (found: TargetRow): GenerationState => ({
  generation: found.generation,
  number: found.number,
  path: found.path,
  schemas: found.schemas,
  schemaVersion: found.schema_version,
});

interface ClaimRow extends TargetRow {
  id: FileId;
  org_id: OrgId;
  dataset_id: DatasetId;
  sync_id: SyncId;
  epoch: Epoch;
  name: string;
  raw_key: string;
  bytes: number;
  sha256: string;
  content_type: string | null;
  options: unknown;
  rules: Partial<LoadRules>;
  attempts: number;
  strikes: number;
  lost_leases: number;
}

/**
 * Rules in force: the dataset's, then what the sync says, then what the upload said (nulls say nothing).
 * The epoch is minted here and nowhere else but where a file is put back; the commit is durable, or a crash could mint it twice.
 */
async function claim(
  db: Db,
  job: { readonly file: string; readonly epoch: number },
  worker: string,
  leaseMs: number,
): Promise<ClaimedFile | null> {
  const found = await row(
    db,
    sql<ClaimRow>`
      WITH f AS (
        UPDATE files SET state = 'claimed', epoch = epoch + 1, attempts = attempts + 1, worker = ${worker}, enqueued_at = NULL, progress_rows = 0, progress_bytes = 0,
          claimed_at = clock_timestamp(), lease_until = clock_timestamp() + ${leaseMs} * interval '1 ms'
        WHERE id = ${job.file}::uuid AND epoch = ${job.epoch} AND state IN ('staged', 'waiting') RETURNING *
      )
      SELECT f.id, f.org_id, f.dataset_id, f.sync_id, f.epoch, f.name, f.raw_key, f.bytes, f.sha256, f.content_type, f.options, f.attempts, f.strikes, f.lost_leases, ${TARGET},
        ${RULES} AS rules
      FROM f ${TARGET_JOINS}`,
  );
  if (!found) return null;
  return {
    id: found.id,
    org: found.org_id,
    dataset: found.dataset_id,
    sync: found.sync_id,
    epoch: found.epoch,
    name: found.name,
    rawKey: found.raw_key,
    bytes: found.bytes,
    sha256: found.sha256,
    contentType: found.content_type,
    options: parseFileOptions(found.options),
    rules: { ...DEFAULT_RULES, ...found.rules },
    attempts: found.attempts,
    strikes: found.strikes,
    lostLeases: found.lost_leases,
    target: toTarget(found),
  };
}

/** The load rules of file `f` of sync `s` in dataset `d`, the most particular last. */
export const RULES = sql`jsonb_build_object('policy', d.policy, 'onBadRow', d.on_bad_row, 'maxRejects', d.max_rejects)
  || jsonb_strip_nulls(jsonb_build_object('onBadRow', s.on_bad_row, 'maxRejects', s.max_rejects)) || f.rules`;

/** Files whose lease is over go back with the epoch moved on; those that lost too many are left for the caller to fail. */
async function overdue(db: Db, enqueuedMs: number, limit: number) {
  const back = await rows(
    db,
    sql<{ id: FileId; epoch: Epoch; lost_leases: number }>`
      WITH late AS MATERIALIZED (
        SELECT id FROM files WHERE state = 'claimed' AND lease_until < clock_timestamp() ORDER BY lease_until LIMIT ${limit} FOR UPDATE SKIP LOCKED
      )
      UPDATE files SET epoch = epoch + 1, lost_leases = lost_leases + 1, worker = NULL,
        state = CASE WHEN lost_leases + 1 >= ${MAX_LOST_LEASES} THEN 'claimed' ELSE 'waiting' END,
        lease_until = CASE WHEN lost_leases + 1 >= ${MAX_LOST_LEASES} THEN clock_timestamp() + interval '60 s' END,
        enqueued_at = NULL, due_at = clock_timestamp()
      FROM late WHERE files.id = late.id RETURNING files.id, files.epoch, files.lost_leases`,
  );
  const enqueued = await rows(
    db,
    sql<JobRow>`SELECT id, epoch FROM files WHERE state IN ('staged', 'waiting') AND enqueued_at < clock_timestamp() - ${enqueuedMs} * interval '1 ms' LIMIT ${limit}`,
  );
  const worn = back.filter((file) => file.lost_leases >= MAX_LOST_LEASES);
  return {
    putBack: back.length - worn.length,
    enqueued: enqueued.map(toJob),
    worn: worn.map((file) => ({ file: file.id, epoch: file.epoch })),
  };
}
