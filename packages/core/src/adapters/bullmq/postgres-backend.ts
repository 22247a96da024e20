import { type PgPool, type Processor, Queue, Worker, createPostgresBackend, runMigrations } from "bullmq";
import { Pool } from "pg";
import type { Job } from "../../ports/job-queue.ts";
import { type QueueBackend, type QueueName, JOB_OPTIONS, STREAM_OPTIONS, WORKER_OPTIONS } from "./backend.ts";
import { settled } from "./bounded.ts";
import type { QueueLog } from "./calm-log.ts";

/** BullMQ looks for its tables under this name when it is given a pool. */
const SCHEMA = "bullmq";
/** Two are held by the workers' LISTEN, the rest carry queries. */
const CONNECTIONS = 5;
const AGAIN_MS = 500;
const CLOSE_MS = 2_000;
/** invalid_schema_name, undefined_table, undefined_function: the schema was dropped or restored from an older dump. */
const SCHEMA_LOST = new Set(["3F000", "42P01", "42883"]);

/**
 * BullMQ on the records' own PostgreSQL, in a schema of its own. Resolves when the schema is there: migrating takes an
 * advisory lock, so any number of processes may start at once.
 */
export async function openPostgresBackend(databaseUrl: string, log: QueueLog, signal?: AbortSignal): Promise<QueueBackend> {
  const pool = new Pool({
    connectionString: withSearchPath(databaseUrl),
    max: CONNECTIONS,
    application_name: "sluice-queue",
    connectionTimeoutMillis: 5_000,
    query_timeout: 15_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  pool.on("error", (error) => log.warn({ err: error }, "queue: PostgreSQL connection failed"));
  // The pool listens to its idle clients only. One that BullMQ or a migration has checked out and that dies between or
  // under its queries emits an error nobody hears, which ends the process (seen with a cut connection).
  pool.on("connect", (client) => client.on("error", (error) => log.warn({ err: error }, "queue: PostgreSQL connection failed")));
  await migrateOnceReachable(pool, log, signal);
  const connection = viewOf(pool);

  return {
    queue(name: QueueName): Queue<Job> {
      const options = { connection, defaultJobOptions: JOB_OPTIONS, streams: STREAM_OPTIONS };
      return new Queue(name, options, createPostgresBackend) as unknown as Queue<Job>;
    },
    worker(name: QueueName, processor: Processor<Job>, concurrency: number): Worker<Job> {
      const options = { ...WORKER_OPTIONS, connection, concurrency };
      return new Worker(name, processor, options, createPostgresBackend) as unknown as Worker<Job>;
    },
    async held(queue, ids) {
      const { rows } = await pool.query<{ id: string }>(
        `SELECT id FROM ${SCHEMA}.job WHERE queue = $1 AND id = ANY ($2::text[]) AND state NOT IN ('completed', 'failed')`,
        [queue.name, ids],
      );
      return new Set(rows.map((row) => row.id));
    },
    hasRoom: async () => true,
    async probe() {
      try {
        await pool.query(`SELECT 1 FROM ${SCHEMA}.job LIMIT 1`);
      } catch (error) {
        if (!SCHEMA_LOST.has((error as { code?: string }).code ?? "")) throw error;
        await migrate(pool);
        log.warn({}, "queue: its schema was gone and has been made again");
      }
    },
    connections: async () => [], // the pool is shared, so the probe answers for it
    async close() {
      await settled(CLOSE_MS, pool.end());
    },
  };
}

/** In the URL, not beside it: pg lets what the URL says win, so `?options=…` in DATABASE_URL would hide the schema. */
export function withSearchPath(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  const given = url.searchParams.get("options");
  url.searchParams.set("options", `${given === null ? "" : `${given} `}-c search_path=${SCHEMA}`);
  return url.href;
}

async function migrateOnceReachable(pool: Pool, log: QueueLog, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      await migrate(pool);
      return;
    } catch (error) {
      log.warn({ err: error }, "queue: PostgreSQL is not ready");
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  let failed = true;
  try {
    await runMigrations(client, SCHEMA);
    failed = false;
  } finally {
    client.release(failed);
  }
}

/**
 * The pool as BullMQ sees it. It adds an error listener to the pool for every Queue and Worker and never takes it back,
 * and a worker is made anew after every failed start; the pool's errors are logged above instead.
 */
function viewOf(pool: Pool): PgPool {
  const view = {
    options: { keepAlive: true },
    query: (text: string, values?: readonly unknown[]) => pool.query(text, values as unknown[] | undefined),
    connect: () => pool.connect(),
    end: async () => undefined,
    on: () => view,
    removeAllListeners: () => view,
  };
  return view as unknown as PgPool;
}
