import { Kysely, PostgresDialect, type PostgresPool, type RawBuilder, sql, type Transaction } from "kysely";
import pg from "pg";
import { Fault, isFault } from "../../domain/fault.ts";
import { preparing } from "./prepared.ts";

/** The tables are reached through `sql` templates, whose row types stand beside each statement. */
export type Schema = Record<string, never>;
export type Db = Kysely<Schema>;
export type Tx = Transaction<Schema>;

const INT8 = 20;
const TIMESTAMPTZ = 1184;
const parseTimestamptz = pg.types.getTypeParser(TIMESTAMPTZ, "text") as (text: string) => Date;

/** Counters below 2^53 as numbers, instants as Unix milliseconds. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (oid === INT8) return Number;
    if (oid === TIMESTAMPTZ) return (text: string) => parseTimestamptz(text).getTime();
    return pg.types.getTypeParser(oid, format as "text");
  }) as typeof pg.types.getTypeParser,
};

export interface PoolOptions {
  readonly databaseUrl: string;
  readonly max: number;
  /** False: commits are not waited for to be durable; only for what may be lost in a crash of the records. */
  readonly durable: boolean;
  readonly log: { warn(detail: object, message: string): void };
}

/** A pool whose statements see the schema `sluice`, and which survives the loss of its connections. */
export function openPool(options: PoolOptions): pg.Pool {
  // A prepared statement's plan may be from when its table had a few rows: reading all of them was cheapest then, and is not a
  // thousand files later (seen: 1.1 scans of all files a file). Every statement has its index; what has none still scans.
  const settings = `-c search_path=sluice -c enable_seqscan=off -c synchronous_commit=${options.durable ? "on" : "off"} -c idle_in_transaction_session_timeout=60000`;
  const pool = new pg.Pool({
    connectionString: withOptions(options.databaseUrl, settings),
    max: options.max,
    types,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    // A prepared statement keeps a plan that was made for the tables as they were: a minute later they may have grown a hundredfold.
    maxLifetimeSeconds: 60,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: "sluice",
  });
  // Without a listener a server that goes away would take the process with it. The pool listens to its idle clients
  // only; one that is checked out and dies between two statements would emit an error that nobody hears.
  pool.on("error", (error) => options.log.warn({ err: error }, "a connection to the records was lost"));
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/** What the URL says of `options` wins over the pool's, so ours are added to the URL's own. */
function withOptions(databaseUrl: string, settings: string): string {
  const url = new URL(databaseUrl);
  const given = url.searchParams.get("options");
  url.searchParams.set("options", given === null ? settings : `${given} ${settings}`);
  return url.href;
}

/** `pool` may also be one connection in a pool's clothes. */
export function openDb(pool: PostgresPool): Db {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool: preparing(pool) }) });
}

/** SQLSTATE classes and codes that mean the server is away, ending, starting or full, or chose this transaction as a victim. */
const PLATFORM_STATE = /^(08|53|57|58|XX|25P0|40|55P03)/;
const PLATFORM_ERRNO = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EHOSTUNREACH", "EAI_AGAIN", "ENOENT"]);
const PLATFORM_TEXT = /terminat|timeout|connection|Client was closed|not queryable/i;
const RETRIED = new Set(["40001", "40P01"]);
const MAX_TRIES = 5;

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** Rethrows what the database threw: a fault as it is, an outage as `records_unavailable`, a bug as it is. */
export function rethrow(error: unknown): never {
  if (isFault(error)) throw error;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const platform = PLATFORM_STATE.test(code) || PLATFORM_ERRNO.has(code) || (code === "" && PLATFORM_TEXT.test(message));
  if (platform) throw new Fault("records_unavailable", `the records cannot be reached: ${message}`, { cause: error });
  throw error;
}

/** True when the server undid the work so that another could go on: it may be run again. */
function wasVictim(error: unknown): boolean {
  return RETRIED.has(codeOf(isFault(error) ? error.detail.cause : error));
}

/** Rows of one statement. On its own (not within a transaction) it is run again, up to 5 times, when the server chose it as a deadlock's victim. */
export async function rows<Row>(db: Db, query: RawBuilder<Row>): Promise<Row[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await query.execute(db)).rows;
    } catch (error) {
      if (!db.isTransaction && attempt < MAX_TRIES && wasVictim(error)) continue;
      return rethrow(error);
    }
  }
}

/** The first row of one statement, or null. */
export async function row<Row>(db: Db, query: RawBuilder<Row>): Promise<Row | null> {
  return (await rows(db, query))[0] ?? null;
}

/** Runs `work` in one READ COMMITTED transaction, again (up to 5 times) when the server chose it as a deadlock's victim. */
export async function transact<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt < MAX_TRIES && wasVictim(error)) continue;
      return rethrow(error);
    }
  }
}

/** Advisory lock classes: one number space for each thing locked. */
export const LOCKS = {
  migrate: 7_301,
  history: 7_302,
  syncIds: 7_303,
  dataset: 7_304,
  current: 7_305,
  paths: 7_306,
  dispatch: 7_307,
} as const;

/** A lock on a text or number within a class, until the transaction ends. Two ids may share a lock; that only makes them wait. */
export async function lock(
  tx: Tx,
  kind: keyof typeof LOCKS,
  id: string | number,
  mode: "shared" | "exclusive" = "exclusive",
): Promise<void> {
  const key = sql`${LOCKS[kind]}::int, hashtext(${String(id)})`;
  await rows(tx, mode === "shared" ? sql`SELECT pg_advisory_xact_lock_shared(${key})` : sql`SELECT pg_advisory_xact_lock(${key})`);
}

/** A value as jsonb, which cannot hold NUL or half a surrogate pair: a replacement character stands for either. */
export const json = (value: unknown) => sql`${holdable(JSON.stringify(value))}::jsonb`;

function holdable(text: string): string {
  if (!/\\u(0000|d)/.test(text)) return text;
  return text.replace(/\\(u0000|ud[89a-f][0-9a-f]{2}|[^])/g, (escape: string) => (/^\\u(0000|d)/.test(escape) ? "\\ufffd" : escape));
}
