import { sql } from "kysely";
import type { SyncId } from "../../domain/ids.ts";
import { type Db, rows } from "./connection.ts";

/** Enough that 16 uploads at once to one sync seldom meet on one row. */
const SHARDS = 8;

export function randomShard(): number {
  return Math.floor(Math.random() * SHARDS);
}

/** Adds to a sync's totals, in the transaction of the move that they count. */
export async function count(
  tx: Db,
  sync: SyncId,
  change: { readonly failed?: number; readonly loaded?: number; readonly stored?: number },
): Promise<void> {
  await rows(
    tx,
    sql`INSERT INTO sync_counts AS c (sync_id, shard, failed, loaded, stored)
        VALUES (${sync}, ${randomShard()}, ${change.failed ?? 0}, ${change.loaded ?? 0}, ${change.stored ?? 0})
        ON CONFLICT (sync_id, shard) DO UPDATE SET failed = c.failed + EXCLUDED.failed, loaded = c.loaded + EXCLUDED.loaded, stored = c.stored + EXCLUDED.stored`,
  );
}
