import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accept, type UploadFacts } from "@sluice/core/accept";
import { diskObjectStore } from "@sluice/core/adapters/disk/object-store";
import { openRecords, type Records } from "@sluice/core/adapters/postgres/open-records";
import type { Caller } from "@sluice/core/domain/access";
import type { DatasetId, FileId, OrgId, SyncId } from "@sluice/core/domain/ids";
import { DEFAULT_RULES, type FileOptions, type LoadRules } from "@sluice/core/domain/options";
import { completeSync } from "@sluice/core/flow/complete";
import { convert } from "@sluice/core/flow/convert";
import { writeCurrent } from "@sluice/core/flow/write-current";
import { ingest, type IngestDeps, type IngestReport } from "@sluice/core/ingest";
import { DEFAULT_LIMITS } from "@sluice/core/ports/converter";
import type { FileRow, SyncRow } from "@sluice/core/ports/history";
import type { Job, JobQueue } from "@sluice/core/ports/job-queue";
import type { ObjectStore } from "@sluice/core/ports/object-store";
import { testDatabase } from "./database.ts";
import { readRows } from "./read-parquet.ts";

export const ORG = 0 as OrgId;
const CALLER: Caller = { org: ORG, keyId: null, scopes: ["admin"] };
const never = new AbortController().signal;

export interface StartSync {
  readonly type?: "full" | "incremental";
  readonly onFileError?: "publish" | "keep_old";
  readonly allowEmpty?: boolean;
  readonly onBadRow?: LoadRules["onBadRow"];
  readonly maxRejects?: LoadRules["maxRejects"];
}

export interface Core extends AsyncDisposable {
  readonly records: Records;
  readonly objects: ObjectStore;
  readonly root: string;
  readonly deps: IngestDeps;
  readonly reports: IngestReport[];
  /** Opens (or finds) the dataset at the path. */
  dataset(path: string, rules?: Partial<LoadRules>): Promise<DatasetId>;
  start(dataset: DatasetId, sync?: StartSync): Promise<SyncId>;
  /** Uploads through the accept door; nothing is converted yet. */
  upload(sync: SyncId, files: Readonly<Record<string, string | Uint8Array>>, options?: FileOptions): Promise<readonly FileId[]>;
  /** Takes every due job and runs the ingest door on it, one after the other, until none is due. */
  work(): Promise<void>;
  end(sync: SyncId): Promise<SyncRow>;
  file(id: FileId): Promise<FileRow>;
  /** What a reader sees: the rows of every live part, through current.json. */
  rows(path: string): Promise<Record<string, unknown>[]>;
  current(path: string): Promise<{
    version: number;
    generation: number;
    parts: { key: string; table: string }[];
    files: { name: string }[];
    tables: { name: string; columns: { name: string; type: string }[] }[];
  }>;
}

/** The core over a real database and a real folder, with the conversion in this process and no queue between the doors. */
export async function openCore(): Promise<Core> {
  const database = await testDatabase();
  const root = await mkdtemp(join(tmpdir(), "sluice-core-"));
  const clock = { now: () => Date.now(), random: (count: number) => randomBytes(count) };
  const log = { info: () => undefined, warn: () => undefined };
  const records = await openRecords({ databaseUrl: database.url, poolSize: 6, clock, log });
  const objects = diskObjectStore({ root, minFreeBytes: 0, linkSecret: "s".repeat(32), linkBase: "" });
  const reports: IngestReport[] = [];
  const leftover = (error: unknown) => {
    throw error;
  };
  const deps: IngestDeps = {
    ...records,
    objects,
    clock,
    converter: { convert },
    limits: DEFAULT_LIMITS,
    worker: "test",
    leaseMs: 60_000,
    held: { hold: () => ({ signal: never, progress: () => undefined, [Symbol.dispose]: () => undefined }) },
    enter: () => Promise.resolve({ [Symbol.dispose]: () => undefined }),
    onOutcome: (report) => reports.push(report),
    onLeftover: leftover,
  };
  const core: Core = {
    records,
    objects,
    root,
    deps,
    reports,
    dataset: async (path, rules = {}) =>
      (await records.catalog.open(ORG, path, { rules: { ...DEFAULT_RULES, ...rules }, declared: {} })).dataset.id,
    start: (dataset, sync = {}) =>
      records.syncs.start({
        org: ORG,
        dataset,
        name: "test",
        type: sync.type ?? "incremental",
        onFileError: sync.onFileError ?? "publish",
        allowEmpty: sync.allowEmpty ?? false,
        onBadRow: sync.onBadRow ?? null,
        maxRejects: sync.maxRejects ?? null,
        idleMs: null,
      }),
    upload: async (sync, files, options = {}) => {
      const facts: UploadFacts = { sync, dataset: null, path: null, options, rules: {} };
      const body = { early: facts, files: incoming(files), final: () => facts };
      const idle: JobQueue = {
        add: () => Promise.resolve(),
        missing: () => Promise.resolve([]),
        depth: () => Promise.resolve({ waiting: 0, active: 0, oldestMs: null }),
        hasRoom: () => Promise.resolve(false),
        consume: () => Promise.reject(new Error("nothing is consumed here")),
        close: () => Promise.resolve(),
      };
      const upload = { ...deps, ...records, queue: idle, perOrg: 200, dispatching: new Map(), onEnqueueError: leftover };
      return (await accept(upload, CALLER, body, { signal: never })).map((file) => file.id);
    },
    work: async () => {
      for (;;) {
        const jobs = await records.work.takeDue(ORG, 1_000);
        if (jobs.length === 0) return;
        for (const job of jobs) await ingest(deps, job as Extract<Job, { kind: "file" }>, never);
      }
    },
    end: async (sync) => {
      await records.syncs.end(ORG, sync);
      await completeSync({ ...deps, ...records, trashDays: 30 }, sync, never);
      const row = await records.history.sync(ORG, sync);
      if (!row) throw new Error(`sync ${sync} is gone`);
      return row;
    },
    file: async (id) => {
      const row = await records.history.file(ORG, id);
      if (!row) throw new Error(`file ${id} is gone`);
      return row;
    },
    current: async (path) => {
      const dataset = await records.catalog.byPath(ORG, path);
      if (!dataset) throw new Error(`there is no dataset at ${path}`);
      await writeCurrent({ ...deps, ...records }, dataset.id, true);
      return JSON.parse(await readFile(join(root, `lake/0${path}/current.json`), "utf8"));
    },
    rows: async (path) => {
      const { parts } = await core.current(path);
      const all = await Promise.all(parts.map((part) => readRows(join(root, part.key))));
      return all.flat();
    },
    [Symbol.asyncDispose]: async () => {
      await records.close();
      await database[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
  return core;
}

async function* incoming(files: Readonly<Record<string, string | Uint8Array>>) {
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    yield { name, bytes: once(bytes), contentType: null, sizeHint: bytes.length };
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
