import { sql } from "kysely";
import { Fault } from "../../domain/fault.ts";
import type { FileId, HistoryNo } from "../../domain/ids.ts";
import { fileOptionsToJson } from "../../domain/parse-options.ts";
import type { AcceptedFile, CommitUpload, Uploads } from "../../ports/uploads.ts";
import { type Db, json, LOCKS, row, rows, transact } from "./connection.ts";
import { remember } from "./idempotency.ts";
import { randomShard } from "./sync-counts.ts";

/** `relaxed` is a pool that does not wait for durability: an arrival note may be lost, a commit may not. */
export function postgresUploads(db: Db, relaxed: Db): Uploads {
  return {
    begin: async (org, files) => {
      await rows(
        relaxed,
        sql`INSERT INTO files (id, org_id, name, raw_key, state)
            SELECT f.id, ${org}, f.name, f.raw_key, 'receiving'
            FROM jsonb_to_recordset(${json(files.map((file) => ({ id: file.id, name: file.name, raw_key: file.rawKey })))}) AS f(id uuid, name text, raw_key text)`,
      );
    },
    commit: (upload) => commit(db, upload),
    abort: async (files) => {
      const aborted = await rows(
        db,
        sql<{
          id: FileId;
        }>`UPDATE files SET state = 'aborted', finished_at = clock_timestamp() WHERE id = ANY(${[...files]}::uuid[]) AND state = 'receiving' RETURNING id`,
      );
      return aborted.map((file) => file.id);
    },
    abandon: async (olderThanMs) =>
      (
        await rows(
          db,
          sql<{ id: FileId; raw_key: string }>`UPDATE files SET state = 'aborted', finished_at = clock_timestamp()
              WHERE state = 'receiving' AND received_at < clock_timestamp() - ${olderThanMs} * interval '1 ms' RETURNING id, raw_key`,
        )
      ).map((file) => ({ id: file.id, rawKey: file.raw_key })),
  };
}

async function commit(db: Db, upload: CommitUpload): Promise<readonly AcceptedFile[]> {
  const { idempotency } = upload;
  // A single statement is its own transaction; more files or an answer to remember need one around them.
  if (!idempotency && upload.files.length === 1) return insertStaged(db, upload);
  return transact(db, async (tx) => {
    const accepted = await insertStaged(tx, upload);
    if (idempotency)
      await remember(tx, upload.target.org, idempotency.running.key, idempotency.running.token, idempotency.answer(accepted));
    return accepted;
  });
}

/**
 * One statement, so one round trip and one durable commit: the arrival notes are locked (none may have been aborted meanwhile),
 * the sync is locked FOR SHARE (an `end` waits for it or refuses it), totals counted, and history numbers drawn under the org's lock, which is held until the commit is visible: numbers ascend in commit order.
 * Every step hangs on the one before it, so that none runs when a file is aborted or the sync is closed.
 */
async function insertStaged(db: Db, { target, files, options, rules }: CommitUpload): Promise<readonly AcceptedFile[]> {
  const data = files.map((file, ordinal) => ({
    ordinal,
    id: file.id,
    name: file.name,
    raw_key: file.rawKey,
    bytes: file.bytes,
    sha256: file.sha256,
    content_type: file.contentType,
    received: file.receivedAtMs,
  }));
  const inserted = await rows(
    db,
    sql<{ id: FileId; history_no: HistoryNo }>`
      WITH arriving AS MATERIALIZED (
        SELECT state FROM files WHERE id = ANY(${files.map((file) => file.id)}::uuid[]) ORDER BY id FOR UPDATE
      ), open_sync AS MATERIALIZED (
        SELECT id FROM syncs WHERE id = ${target.sync} AND org_id = ${target.org} AND state = 'open'
          AND NOT EXISTS (SELECT 1 FROM arriving WHERE state <> 'receiving') FOR SHARE
      ), counted AS (
        INSERT INTO sync_counts AS c (sync_id, shard, total) SELECT id, ${randomShard()}, ${files.length} FROM open_sync
        ON CONFLICT (sync_id, shard) DO UPDATE SET total = c.total + EXCLUDED.total RETURNING c.sync_id
      ), numbered AS MATERIALIZED (
        SELECT sync_id, pg_advisory_xact_lock(${LOCKS.history}, ${Number(target.org) % 2_147_483_647}) FROM counted
      )
      INSERT INTO files AS old (id, org_id, dataset_id, sync_id, history_no, name, sub_path, state, due_at, raw_key, bytes, sha256, content_type, options, rules, received_at, staged_at)
      SELECT f.id, ${target.org}, ${target.dataset}, n.sync_id, nextval('history_numbers'), f.name, ${target.subPath}, 'staged', clock_timestamp(), f.raw_key, f.bytes, f.sha256,
             f.content_type, ${json(fileOptionsToJson(options))}, ${json(rules)}, to_timestamp(f.received / 1000.0), clock_timestamp()
      FROM numbered n, (SELECT * FROM jsonb_to_recordset(${json(data)})
             AS r(ordinal int, id uuid, name text, raw_key text, bytes bigint, sha256 text, content_type text, received double precision) ORDER BY ordinal) f
      ON CONFLICT (id) DO UPDATE SET dataset_id = EXCLUDED.dataset_id, sync_id = EXCLUDED.sync_id, history_no = EXCLUDED.history_no, sub_path = EXCLUDED.sub_path,
             state = 'staged', due_at = EXCLUDED.due_at, bytes = EXCLUDED.bytes, sha256 = EXCLUDED.sha256, content_type = EXCLUDED.content_type,
             options = EXCLUDED.options, rules = EXCLUDED.rules, staged_at = EXCLUDED.staged_at
        WHERE old.state = 'receiving'
      RETURNING id, history_no`,
  );
  if (inserted.length === files.length) return files.map((file) => ({ id: file.id, historyNo: numberOf(inserted, file.id) }));
  if (inserted.length > 0) throw new Error(`${inserted.length} of ${files.length} files of one request were committed`);
  return refuse(db, target, files);
}

/** Says why nothing was committed. */
async function refuse(db: Db, target: CommitUpload["target"], files: CommitUpload["files"]): Promise<never> {
  const taken = await row(
    db,
    sql<{ id: FileId; name: string; state: string }>`
      SELECT id, name, state FROM files WHERE id = ANY(${files.map((file) => file.id)}::uuid[]) AND state <> 'receiving' ORDER BY state, id LIMIT 1`,
  );
  if (taken?.state === "aborted") {
    throw new Fault("aborted", `file: ${taken.name} took so long to arrive that it was given up; send it again`, {
      field: "file",
      value: taken.name,
    });
  }
  if (taken) throw new Error(`file ${taken.id} was committed before, it is ${taken.state}`);
  const sync = await row(db, sql<{ state: string }>`SELECT state FROM syncs WHERE id = ${target.sync} AND org_id = ${target.org}`);
  if (!sync) throw new Fault("not_found", `sync_id: there is no sync ${target.sync}`, { field: "sync_id", value: target.sync });
  throw new Fault("sync_closed", `sync_id: sync ${target.sync} takes no more files, it is ${sync.state}`, {
    field: "sync_id",
    value: target.sync,
  });
}

function numberOf(inserted: readonly { id: FileId; history_no: HistoryNo }[], id: FileId): HistoryNo {
  const found = inserted.find((file) => file.id === id);
  if (!found) throw new Error(`file ${id} was committed without a history number`);
  return found.history_no;
}
