import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { Fault } from "../../domain/fault.ts";
import type { FileState, Reject } from "../../domain/file.ts";
import type { FileId, OrgId, SyncId } from "../../domain/ids.ts";
import type { Gauges, History } from "../../ports/history.ts";
import { type Db, row, rows, transact, type Tx } from "./connection.ts";
import { FILES, type FileRecord, fileQuery, SYNCS, type SyncRecord, syncQuery, toFile, toSync } from "./history-rows.ts";
import { count } from "./sync-counts.ts";

const DONE: ReadonlySet<FileState> = new Set(["loaded", "stored", "failed", "aborted"]);
/** Polling: short at first, because a small file takes a few milliseconds, then a few times a second. */
const FIRST_POLL_MS = 5;
const LAST_POLL_MS = 200;

export function postgresHistory(db: Db): History {
  const file = async (org: OrgId, id: FileId) => {
    const found = await row(db, sql<FileRecord>`${FILES} WHERE f.org_id = ${org} AND f.id = ${id} AND f.history_no IS NOT NULL`);
    return found && toFile(found);
  };
  return {
    syncs: async (query) => (await rows(db, syncQuery(query))).map(toSync),
    sync: async (org, id) => {
      const found = await row(db, sql<SyncRecord>`${SYNCS} WHERE s.org_id = ${org} AND s.id = ${id}`);
      return found && toSync(found);
    },
    files: async (query) => (await rows(db, fileQuery(query))).map(toFile),
    file,
    rejects: (id) =>
      rows(
        db,
        sql<Reject>`SELECT table_name AS "table", row_no AS row, byte_offset AS "byteOffset", column_name AS "column", raw, reason FROM rejects WHERE file_id = ${id} ORDER BY ordinal`,
      ),
    waitFor: async (org, id, timeoutMs, signal) => {
      const until = performance.now() + timeoutMs;
      for (let wait = FIRST_POLL_MS; ; wait = Math.min(LAST_POLL_MS, wait * 1.5)) {
        const found = await file(org, id);
        if (!found || DONE.has(found.state) || signal.aborted || performance.now() + wait > until) return found;
        await sleep(wait, undefined, { signal }).catch(() => undefined);
      }
    },
    retry: (org, id) => transact(db, (tx) => retry(tx, org, id)),
    gauges: async () => {
      const open = await rows(
        db,
        sql<{ state: FileState; files: number; oldest: number }>`
          SELECT state, count(*) AS files, min(staged_at) AS oldest FROM files WHERE state IN ('fetching', 'staged', 'claimed', 'waiting') GROUP BY state`,
      );
      const now = await row(
        db,
        sql<{
          now: number;
          syncs: number;
        }>`SELECT clock_timestamp() AS now, (SELECT count(*) FROM syncs WHERE state IN ('open', 'ending') AND NOT implicit) AS syncs`,
      );
      const done = await row(
        db,
        sql<
          Gauges["doneFiles"]
        >`SELECT coalesce(sum(loaded), 0)::bigint AS loaded, coalesce(sum(stored), 0)::bigint AS stored, coalesce(sum(failed), 0)::bigint AS failed FROM sync_counts`,
      );
      const oldest = open.map((each) => each.oldest).filter((each) => each !== null);
      return {
        openFiles: Object.fromEntries(open.map((each) => [each.state, each.files])),
        doneFiles: done ?? { loaded: 0, stored: 0, failed: 0 },
        oldestOpenMs: oldest.length === 0 || !now ? null : Math.max(0, now.now - Math.min(...oldest)),
        openSyncs: now?.syncs ?? 0,
      };
    },
  };
}

interface RetryRow {
  state: FileState;
  sync_id: SyncId;
  raw_removed: boolean;
  type: string;
  sync_state: string;
  decided: boolean;
}

/** A failed file is due again. A full sync that is over built its generation without it, so it can only be sent again. */
async function retry(tx: Tx, org: OrgId, id: FileId): Promise<void> {
  const found = await row(
    tx,
    sql<RetryRow>`SELECT f.state, f.sync_id, f.raw_removed_at IS NOT NULL AS raw_removed, s.type, s.state AS sync_state, s.outcome IS NOT NULL AS decided
      FROM files f JOIN syncs s ON s.id = f.sync_id WHERE f.id = ${id} AND f.org_id = ${org} AND f.history_no IS NOT NULL FOR UPDATE OF f FOR SHARE OF s`,
  );
  if (!found) throw new Fault("not_found", `there is no file ${id}`, { value: id });
  if (found.state !== "failed") throw new Fault("wrong_state", `file ${id} cannot be retried, it is ${found.state}`, { value: id });
  if (found.raw_removed) throw new Fault("raw_gone", `file ${id} cannot be retried, its raw bytes are gone`, { value: id });
  if (found.type === "full" && (found.decided || (found.sync_state !== "open" && found.sync_state !== "ending"))) {
    throw new Fault("wrong_state", `file ${id} cannot be retried, its full sync ${found.sync_id} is over; send it in a new sync`, {
      value: id,
    });
  }
  await rows(
    tx,
    sql`UPDATE files SET state = 'staged', epoch = epoch + 1, strikes = 0, lost_leases = 0, fault = NULL, enqueued_at = NULL, due_at = clock_timestamp(), finished_at = NULL,
          rows_read = 0, rows_loaded = 0, rows_rejected = 0, rows_skipped = 0, warnings = 0, rejects_key = NULL WHERE id = ${id}`,
  );
  await rows(tx, sql`DELETE FROM rejects WHERE file_id = ${id}`);
  await count(tx, found.sync_id, { failed: -1 });
}
