import { sql } from "kysely";
import { Fault } from "../../domain/fault.ts";
import { type Clock, type DatasetId, type GenerationId, newId, type OrgId, type PartId, type TrashId } from "../../domain/ids.ts";
import type { Trash, TrashEntry } from "../../ports/catalog.ts";
import { type Db, lock, row, rows, transact, type Tx } from "./connection.ts";
import { dropGeneration } from "./generations.ts";
import { bumpVersion } from "./parts.ts";

interface TrashRow {
  id: TrashId;
  org_id: OrgId;
  dataset_id: DatasetId;
  path: string;
  kind: TrashEntry["kind"];
  state: TrashEntry["state"];
  generation_id: GenerationId;
  sync_id: number | null;
  rows: number;
  bytes: number;
  created_at: number;
  expires_at: number;
}

const ENTRIES = sql`SELECT t.*, d.path, p.rows, p.bytes FROM trash t JOIN datasets d ON d.id = t.dataset_id
  CROSS JOIN LATERAL (SELECT coalesce(sum(rows), 0)::bigint AS rows, coalesce(sum(bytes), 0)::bigint AS bytes FROM parts WHERE generation_id = t.generation_id AND until_version IS NULL) p`;

const toEntry = (found: TrashRow): TrashEntry => ({
  id: found.id,
  org: found.org_id,
  dataset: found.dataset_id,
  path: found.path,
  kind: found.kind,
  state: found.state,
  generation: found.generation_id,
  sync: found.sync_id,
  rows: found.rows,
  bytes: found.bytes,
  createdAtMs: found.created_at,
  expiresAtMs: found.expires_at,
});

/** The file that a raw or rejects key is of, by its last segment; null for other keys. */
const FILE_OF_KEY = sql`substring(key FROM '^(?:raw|rejects)/.*/([0-9a-f]{8}-[0-9a-f-]{27})(?:\\.[0-9]+\\.ndjson)?$')::uuid`;

export function postgresTrash(db: Db, clock: Clock): Trash {
  const byId = async (org: OrgId, id: TrashId) => {
    const found = await row(db, sql<TrashRow>`${ENTRIES} WHERE t.org_id = ${org} AND t.id = ${id}`);
    return found && toEntry(found);
  };
  return {
    list: async (org, page) =>
      (
        await rows(
          db,
          sql<TrashRow>`${ENTRIES} WHERE t.org_id = ${org} AND (${page.after}::uuid IS NULL OR t.id > ${page.after}::uuid)
            AND (${page.dataset}::uuid IS NULL OR t.dataset_id = ${page.dataset}::uuid) ORDER BY t.id LIMIT ${page.limit}`,
        )
      ).map(toEntry),
    byId,
    restore: async (org, id, trashDays) => {
      await transact(db, (tx) => restore(tx, clock, org, id, trashDays));
      const entry = await byId(org, id);
      if (!entry) throw new Error(`trash ${id} vanished while it was restored`);
      return entry;
    },
    expire: () => transact(db, expire),
    collectable: (deadForMs, limit) =>
      rows(
        db,
        sql<{ id: PartId; key: string; last: boolean }>`
          SELECT p.id, p.object_key AS key,
            NOT EXISTS (SELECT 1 FROM parts o WHERE o.object_key = p.object_key AND o.id <> p.id AND coalesce((o.dead_at, o.id) > (p.dead_at, p.id), true)) AS last
          FROM parts p WHERE p.dead_at < clock_timestamp() - ${deadForMs} * interval '1 ms' ORDER BY p.dead_at, p.id LIMIT ${limit}`,
      ),
    collected: async (parts) => {
      await transact(db, async (tx) => {
        await rows(
          tx,
          sql`UPDATE datasets d SET collected_version = greatest(d.collected_version, m.until)
              FROM (SELECT p.dataset_id, max(p.until_version) AS until FROM parts p JOIN generations g ON g.id = p.generation_id
                    WHERE p.id = ANY(${[...parts]}::uuid[]) AND g.state <> 'dropped' GROUP BY 1) m
              WHERE d.id = m.dataset_id AND m.until IS NOT NULL`,
        );
        await rows(tx, sql`DELETE FROM parts WHERE id = ANY(${[...parts]}::uuid[]) AND dead_at IS NOT NULL`);
      });
    },
    unknownKeys: async (keys) => {
      const unknown = await rows(
        db,
        sql<{ key: string }>`
          WITH asked AS (SELECT key, ${FILE_OF_KEY} AS file_id FROM unnest(${[...keys]}::text[]) AS k(key))
          SELECT key FROM asked a
          WHERE NOT EXISTS (SELECT 1 FROM parts p WHERE p.object_key = a.key)
            AND NOT EXISTS (SELECT 1 FROM files f WHERE f.id = a.file_id AND (f.rejects_key = a.key OR (f.raw_key = a.key AND f.state <> 'aborted')))`,
      );
      return unknown.map((found) => found.key);
    },
    expiredRaw: (olderThanMs, limit) =>
      rows(
        db,
        sql<{ file: string; key: string }>`
          WITH old AS (SELECT id FROM files WHERE state IN ('loaded', 'stored', 'failed', 'aborted') AND raw_removed_at IS NULL
                         AND finished_at < clock_timestamp() - ${olderThanMs} * interval '1 ms' ORDER BY finished_at LIMIT ${limit})
          UPDATE files f SET raw_removed_at = clock_timestamp() FROM old WHERE f.id = old.id RETURNING f.id AS file, f.raw_key AS key`,
      ),
  };
}

/** Swaps a trashed generation back in. What was live goes to trash: nothing is lost by a restore either. */
async function restore(tx: Tx, clock: Clock, org: OrgId, id: TrashId, trashDays: number): Promise<void> {
  const of = await row(tx, sql<{ dataset_id: DatasetId }>`SELECT dataset_id FROM trash WHERE id = ${id} AND org_id = ${org}`);
  if (!of) throw new Fault("not_found", `there is no trash ${id}`, { value: id });
  await lock(tx, "dataset", of.dataset_id);
  const entry = await row(
    tx,
    sql<{ generation_id: GenerationId; state: string }>`SELECT generation_id, state FROM trash WHERE id = ${id} FOR UPDATE`,
  );
  if (entry?.state !== "trashed") throw new Fault("wrong_state", `trash ${id} cannot be restored, it is ${entry?.state}`, { value: id });
  const version = await bumpVersion(tx, of.dataset_id);
  const live = await row(
    tx,
    sql<{
      id: GenerationId;
    }>`UPDATE generations SET state = 'trashed', until_version = ${version} WHERE id = (SELECT live_generation_id FROM datasets WHERE id = ${of.dataset_id}) RETURNING id`,
  );
  if (!live) throw new Error(`dataset ${of.dataset_id} has no live generation`);
  await rows(
    tx,
    sql`INSERT INTO trash (id, org_id, dataset_id, generation_id, kind, state, expires_at)
        VALUES (${newId<TrashId>(clock)}, ${org}, ${of.dataset_id}, ${live.id}, 'restore', 'trashed', clock_timestamp() + ${trashDays} * interval '1 day')`,
  );
  await rows(
    tx,
    sql`UPDATE generations SET state = 'live', since_version = ${version}, until_version = NULL WHERE id = ${entry.generation_id}`,
  );
  await rows(tx, sql`UPDATE datasets SET live_generation_id = ${entry.generation_id} WHERE id = ${of.dataset_id}`);
  await rows(tx, sql`UPDATE trash SET state = 'restored', ended_at = clock_timestamp() WHERE id = ${id}`);
}

async function expire(tx: Tx): Promise<number> {
  const due = await rows(
    tx,
    sql<{ generation_id: GenerationId }>`
      WITH due AS (SELECT id FROM trash WHERE state = 'trashed' AND expires_at < clock_timestamp() LIMIT 100 FOR UPDATE SKIP LOCKED)
      UPDATE trash SET state = 'expired', ended_at = clock_timestamp() FROM due WHERE trash.id = due.id RETURNING generation_id`,
  );
  for (const { generation_id: generation } of due) await dropGeneration(tx, generation);
  return due.length;
}
