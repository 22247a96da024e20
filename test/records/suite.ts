import { createHash, randomBytes } from "node:crypto";
import { openRecords, type Records } from "@sluice/core/adapters/postgres/open-records";
import { failedAccount, NO_ROWS, type Reject, type RowCounts } from "@sluice/core/domain/file";
import { type Clock, type DatasetId, type Epoch, type FileId, newId, type OrgId, type PartId, type SyncId } from "@sluice/core/domain/ids";
import { DEFAULT_RULES } from "@sluice/core/domain/options";
import type { Column, ColumnType, NumericFacts, TableSchema, TableSchemas } from "@sluice/core/domain/table-schema";
import type { Findings, LoadedFile, NewPart, PublishResult } from "@sluice/core/ports/publication";
import type { NewSync } from "@sluice/core/ports/syncs";
import type { AcceptedFile, StagedFile, UploadTarget } from "@sluice/core/ports/uploads";
import type { ClaimedFile } from "@sluice/core/ports/work";
import pg from "pg";
import { afterAll, beforeAll, describe } from "vitest";

const { TEST_DATABASE_URL: SERVER, CI } = process.env;
const ABSENT = "TEST_DATABASE_URL is not set: nothing is tested against PostgreSQL";

export const clock: Clock = { now: () => Date.now(), random: (count) => randomBytes(count) };
const silent = { info: () => undefined, warn: () => undefined };

/** A fresh database on the server, and how it is dropped. */
export async function freshDatabase(): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> {
  if (!SERVER) throw new Error(ABSENT);
  const name = `records_${randomBytes(6).toString("hex")}`;
  await onServer((server) => server.query(`CREATE DATABASE ${name}`));
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer((server) => dropQuietly(server, name)) };
}

async function onServer(work: (server: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** Connections that are just being closed are let go first: one that the server ends throws where nobody listens. */
async function dropQuietly(server: pg.Client, name: string): Promise<void> {
  const until = Date.now() + 3_000;
  const open = async () => (await server.query("SELECT 1 FROM pg_stat_activity WHERE datname = $1", [name])).rows.length > 0;
  while (Date.now() < until && (await open()));
  await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
}

/** The records over a database of their own, with what tests say often. */
export class Suite {
  readonly url: string;
  readonly records: Records;
  readonly #drop: () => Promise<void>;
  readonly #admin: pg.Pool;
  org = 0 as OrgId;
  #paths = 0;

  private constructor(url: string, drop: () => Promise<void>, records: Records) {
    this.url = url;
    this.records = records;
    this.#drop = drop;
    this.#admin = new pg.Pool({ connectionString: url, max: 4, options: "-c search_path=sluice" });
    // The database is dropped with force at the end.
    this.#admin.on("error", () => undefined);
  }

  static async open(poolSize = 24): Promise<Suite> {
    const { url, drop } = await freshDatabase();
    return new Suite(url, drop, await openRecords({ databaseUrl: url, poolSize, clock, log: silent }));
  }

  /** A second process over the same database. */
  another(poolSize = 8): Promise<Records> {
    return openRecords({ databaseUrl: this.url, poolSize, clock, log: silent });
  }

  async close(): Promise<void> {
    await this.records.close();
    await this.#admin.end();
    await this.#drop();
  }

  /** Rows of a statement of the test's own. bigint comes as text. */
  async sql<Row extends Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#admin.query<Row>(text, [...values])).rows;
  }

  /**
   * Runs `work` while a transaction of the test's own is open in which `statements` have run, and commits it when `work`
   * has begun so many things that wait for it in the database. Resolves to what `work` resolves to.
   */
  async whileOpen<T>(statements: readonly (readonly [string, ...unknown[]])[], waiting: number, work: () => Promise<T>): Promise<T> {
    const holder = await this.connection();
    try {
      await holder.query("BEGIN");
      for (const [statement, ...values] of statements) await holder.query(statement, values);
      const done = work();
      // A promise that has failed already must not end the test before it is looked at.
      done.catch(() => undefined);
      await this.untilWaiting(waiting);
      await holder.query("COMMIT");
      return await done;
    } finally {
      await holder.end();
    }
  }

  /** Resolves when so many statements wait for a lock. */
  async untilWaiting(count: number): Promise<void> {
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while ((await this.sql(waiting)).length < count);
  }

  /** A connection of the test's own, for locks and open transactions. */
  async connection(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url, options: "-c search_path=sluice" });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  async dataset(declared: TableSchemas = {}, path = `/test/d${++this.#paths}`): Promise<DatasetId> {
    return (await this.records.catalog.open(this.org, path, { rules: DEFAULT_RULES, declared })).dataset.id;
  }

  start(dataset: DatasetId, more: Partial<NewSync> = {}): Promise<SyncId> {
    return this.records.syncs.start({
      org: this.org,
      dataset,
      name: "a sync",
      type: "incremental",
      onFileError: "publish",
      allowEmpty: false,
      onBadRow: null,
      maxRejects: null,
      idleMs: null,
      ...more,
    });
  }

  target(dataset: DatasetId, sync: SyncId, subPath = ""): UploadTarget {
    return { org: this.org, dataset, sync, subPath };
  }

  /** Files whose bytes have arrived, noted as receiving. */
  async arrive(names: readonly string[]): Promise<StagedFile[]> {
    const files = names.map((name) => staged(name));
    await this.records.uploads.begin(this.org, files);
    return files;
  }

  async upload(dataset: DatasetId, sync: SyncId, names: readonly string[] = ["a.csv"], subPath = ""): Promise<FileId[]> {
    const files = await this.arrive(names);
    const accepted = await this.commit(dataset, sync, files, subPath);
    return accepted.map((file) => file.id);
  }

  commit(dataset: DatasetId, sync: SyncId, files: readonly StagedFile[], subPath = ""): Promise<readonly AcceptedFile[]> {
    return this.records.uploads.commit({ target: this.target(dataset, sync, subPath), files, options: {}, rules: {} });
  }

  async epoch(file: FileId): Promise<number> {
    const [found] = await this.sql<{ epoch: number }>("SELECT epoch FROM files WHERE id = $1", [file]);
    if (!found) throw new Error(`no file ${file}`);
    return found.epoch;
  }

  async claim(file: FileId, leaseMs = 60_000): Promise<ClaimedFile> {
    const claimed = await this.records.work.claim({ file, epoch: await this.epoch(file) }, "test", leaseMs);
    if (!claimed) throw new Error(`file ${file} cannot be claimed`);
    return claimed;
  }

  async file(id: FileId) {
    const found = await this.records.history.file(this.org, id);
    if (!found) throw new Error(`no file ${id}`);
    return found;
  }

  async sync(id: SyncId) {
    const found = await this.records.history.sync(this.org, id);
    if (!found) throw new Error(`no sync ${id}`);
    return found;
  }

  async datasetNow(id: DatasetId) {
    const found = await this.records.catalog.byId(this.org, id);
    if (!found) throw new Error(`no dataset ${id}`);
    return found;
  }

  /** Claims and loads a file: one part under the schema, or the parts given. */
  async load(file: FileId, schema: TableSchema = INTS, more: Partial<LoadedFile> = {}): Promise<LoadedFile> {
    const loaded = loadedFile(await this.claim(file), schema, more);
    const result = await this.records.publication.publishLoaded(loaded);
    if (result !== "done") throw new Error(`file ${file} was not published: ${result}`);
    return loaded;
  }

  async store(file: FileId): Promise<string> {
    const stored = storedFile(await this.claim(file));
    const result = await this.records.publication.publishStored(stored);
    if (result !== "done") throw new Error(`file ${file} was not stored: ${result}`);
    return stored.part.key;
  }

  async fail(file: FileId): Promise<void> {
    const { epoch } = await this.claim(file);
    await this.records.publication.publishFailed({
      file,
      epoch,
      fault: { code: "unreadable", message: "line 1: it is broken" },
      findings: { detected: null, counts: NO_ROWS, rejects: [], rejectsKey: null },
    });
  }

  /** Uploads and loads one file in a sync. */
  async uploadAndLoad(dataset: DatasetId, sync: SyncId, schema: TableSchema = INTS, more: Partial<LoadedFile> = {}): Promise<LoadedFile> {
    const [file] = await this.upload(dataset, sync);
    return this.load(must(file), schema, more);
  }

  /** Ends a sync and completes it as a worker does, with current.json written into nothing. */
  async complete(sync: SyncId): Promise<void> {
    await this.records.syncs.end(this.org, sync);
    const step = await this.records.syncs.decide(sync, 30);
    if (step.step !== "decided") throw new Error(`sync ${sync} was not decided: ${step.step}`);
    await this.records.current.write(step.dataset, true, () => Promise.resolve());
    await this.records.syncs.close(sync);
  }

  /** Keys of what readers see now, or at a version. */
  async keys(dataset: DatasetId, version?: number): Promise<string[] | null> {
    const at = version ?? (await this.datasetNow(dataset)).version;
    const parts = await this.records.catalog.parts(dataset, { version: at, after: null, limit: 1_000 });
    return parts && parts.map((part) => part.key).sort();
  }

  /** Every total beside what the files say. Equal: the account holds. */
  async audit(): Promise<{ counted: unknown[]; found: unknown[] }> {
    const counted = await this.sql(
      `SELECT sync_id, sum(total)::int AS total, sum(failed)::int AS failed, sum(loaded)::int AS loaded, sum(stored)::int AS stored
       FROM sync_counts GROUP BY 1 HAVING sum(total) > 0 ORDER BY 1`,
    );
    const found = await this.sql(
      `SELECT sync_id, count(*)::int AS total, count(*) FILTER (WHERE state = 'failed')::int AS failed, count(*) FILTER (WHERE state = 'loaded')::int AS loaded,
              count(*) FILTER (WHERE state = 'stored')::int AS stored
       FROM files WHERE history_no IS NOT NULL GROUP BY 1 ORDER BY 1`,
    );
    return { counted, found };
  }
}

/** A group of tests over records of their own; without a server it says so, and fails in CI. */
export function onRecords(name: string, tests: (suite: () => Suite) => void, poolSize?: number): void {
  if (!SERVER && CI === "true") throw new Error(ABSENT);
  if (!SERVER) console.warn(`SKIPPED: ${name}. ${ABSENT}`);
  describe.skipIf(!SERVER)(name, () => {
    let suite: Suite;
    beforeAll(async () => {
      suite = await Suite.open(poolSize);
    });
    afterAll(() => suite?.close());
    tests(() => suite);
  });
}

export function staged(name: string): StagedFile {
  const id = newId<FileId>(clock);
  const sha256 = createHash("sha256").update(name).digest("hex");
  return { id, name, rawKey: `raw/0/2026-01-01/${id}`, bytes: 10, sha256, contentType: null, receivedAtMs: clock.now() };
}

export const int64: ColumnType = { kind: "int64" };
export const double: ColumnType = { kind: "double" };
export const text: ColumnType = { kind: "text" };

export function column(id: number, name: string, type: ColumnType, numbers?: NumericFacts): Column {
  return { id, name, type, declared: false, ...(numbers ? { numbers } : {}) };
}

export function schema(...columns: Column[]): TableSchema {
  return { columns, lastId: Math.max(0, ...columns.map((each) => each.id)) };
}

export const INTS = schema(column(1, "x", int64));
export const DOUBLES = schema(column(1, "x", double));
export const INTS_AND_TEXT = schema(column(1, "x", int64), column(2, "note", text));

export function part(file: FileId, epoch: number, more: Partial<NewPart> = {}): NewPart {
  const id = newId<PartId>(clock);
  return { id, table: "main", key: `lake/0/${file}.${epoch}.${id}.parquet`, rows: 3, bytes: 100, sha256: "ab", ...more };
}

export function counts(loaded: number, rejected = 0, skipped = 0): RowCounts {
  return { read: loaded + rejected + skipped, loaded, rejected, skipped, warnings: 0 };
}

export function findings(account: RowCounts, rejects: readonly Reject[] = []): Findings {
  return { detected: { format: "csv", compression: "none", by: "extension" }, counts: account, rejects, rejectsKey: null };
}

export { failedAccount };

/** What a worker would publish for a claimed file: one part of three rows under the schema. */
export function loadedFile(file: ClaimedFile, of: TableSchema = INTS, more: Partial<LoadedFile> = {}): LoadedFile {
  const known = file.target.schemas["main"];
  const change = known && known.columns.length === of.columns.length ? "none" : "added";
  return {
    file: file.id,
    epoch: file.epoch,
    generation: file.target.generation,
    basedOn: file.target.schemaVersion,
    schemas: { main: of },
    change,
    parts: [part(file.id, file.epoch)],
    findings: findings(counts(3)),
    remade: [],
    ...more,
  };
}

export function storedFile(file: ClaimedFile) {
  return {
    file: file.id,
    epoch: file.epoch,
    generation: file.target.generation,
    part: { id: newId<PartId>(clock), key: `files/0/${file.id}`, bytes: file.bytes, sha256: file.sha256 },
    detected: { format: "opaque", compression: "none", by: "content" },
    contentType: "image/jpeg",
  } as const;
}

export function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("there is nothing");
  return value;
}

export const keysOf = (...loaded: readonly LoadedFile[]): string[] => loaded.flatMap((each) => each.parts.map((one) => one.key)).sort();

/** The code of the fault that the promise rejects with; what it resolves to when it does not. */
export async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

export function tally<T extends string>(values: readonly T[]): Partial<Record<T, number>> {
  const out: Partial<Record<T, number>> = {};
  for (const value of values) out[value] = (out[value] ?? 0) + 1;
  return out;
}

export type { Epoch, PublishResult };
