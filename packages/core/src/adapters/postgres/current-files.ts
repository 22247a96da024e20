import { sql } from "kysely";
import type pg from "pg";
import type { DatasetId, PartId } from "../../domain/ids.ts";
import type { CurrentFiles, LivePart, Snapshot } from "../../ports/catalog.ts";
import { partsAt, readDataset } from "./catalog.ts";
import { type Db, LOCKS, openDb, rethrow, rows } from "./connection.ts";

const PAGE = 5_000;

/**
 * The writer's lock belongs to a session, not a transaction: it is held while the object is stored, and the snapshot must be
 * taken after it was granted, which a lock inside a repeatable-read transaction would not do.
 */
export function postgresCurrentFiles(pool: pg.Pool, db: Db): CurrentFiles {
  const turns = new Map<DatasetId, Promise<unknown>>();
  return {
    behind: async (limit) =>
      (await rows(db, sql<{ id: DatasetId }>`SELECT id FROM datasets WHERE written_version < version LIMIT ${limit}`)).map(
        (dataset) => dataset.id,
      ),
    write: async (id, wait, write) => {
      if (!wait && turns.has(id)) return writtenVersion(db, id);
      return inTurn(turns, id, () => writeLocked(pool, id, wait, write));
    },
  };
}

/** Writers of one process wait for each other in memory: each waiting in the database would hold a connection that the one at work may need. */
async function inTurn<T>(turns: Map<DatasetId, Promise<unknown>>, id: DatasetId, work: () => Promise<T>): Promise<T> {
  const mine = (turns.get(id) ?? Promise.resolve()).then(work);
  const over = mine.catch(() => undefined);
  turns.set(id, over);
  try {
    return await mine;
  } finally {
    if (turns.get(id) === over) turns.delete(id);
  }
}

/** All on one connection, which holds the lock: with a second one each, as many datasets as there are connections would wait for ever. */
async function writeLocked(pool: pg.Pool, id: DatasetId, wait: boolean, write: (snapshot: Snapshot) => Promise<void>): Promise<number> {
  const client = await pool.connect().catch(rethrow);
  const db = openDb({
    connect: () => Promise.resolve({ query: client.query.bind(client), release: () => undefined } as never),
    end: () => Promise.resolve(),
    options: {},
  });
  let broken: Error | undefined;
  try {
    if (!(await lockSession(client, id, wait))) return await writtenVersion(db, id);
    const snapshot = await readSnapshot(db, id);
    if (snapshot === null) return await writtenVersion(db, id);
    await write(snapshot);
    const { version } = snapshot.dataset;
    await rows(db, sql`UPDATE datasets SET written_version = ${version} WHERE id = ${id} AND written_version < ${version}`);
    return version;
  } finally {
    // A connection that cannot be unlocked is closed, which unlocks it.
    await client.query("SELECT pg_advisory_unlock($1, hashtext($2))", [LOCKS.current, id]).catch((error: Error) => (broken = error));
    client.release(broken);
  }
}

async function lockSession(client: pg.PoolClient, id: DatasetId, wait: boolean): Promise<boolean> {
  try {
    if (wait) {
      await client.query("SELECT pg_advisory_lock($1, hashtext($2))", [LOCKS.current, id]);
      return true;
    }
    const tried = await client.query<{ got: boolean }>("SELECT pg_try_advisory_lock($1, hashtext($2)) AS got", [LOCKS.current, id]);
    return tried.rows[0]?.got === true;
  } catch (error) {
    return rethrow(error);
  }
}

async function writtenVersion(db: Db, id: DatasetId): Promise<number> {
  return (await readDataset(db, id))?.writtenVersion ?? -1;
}

/** The newest version that nobody wrote yet, or null when there is none. A version pins its parts, so paging needs no transaction. */
async function readSnapshot(db: Db, id: DatasetId): Promise<Snapshot | null> {
  for (;;) {
    const dataset = await readDataset(db, id);
    if (!dataset || dataset.writtenVersion >= dataset.version) return null;
    const parts = await allParts(db, id, dataset.version);
    if (parts) return { dataset, parts };
  }
}

async function allParts(db: Db, id: DatasetId, version: number): Promise<LivePart[] | null> {
  const parts: LivePart[] = [];
  let after: PartId | null = null;
  for (;;) {
    const page: readonly LivePart[] | null = await partsAt(db, id, { version, after, limit: PAGE });
    if (!page) return null;
    parts.push(...page);
    after = page.at(-1)?.id ?? null;
    if (page.length < PAGE) return parts;
  }
}
