import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { openObjectStore, parseStorageUrl } from "@sluice/core/adapters/object-store-from-url";
import type { ObjectStore } from "@sluice/core/ports/object-store";
import pg from "pg";
import { testDatabase } from "./database.ts";
import { freePort } from "./free-port.ts";
import { HAS_REDIS, type OwnRedis, ownRedis } from "./own-redis.ts";
import { ROOT, run, type Running, tail } from "./running.ts";

export const KEY = "a-key-of-the-e2e-tests";
export const API_MAIN = join(ROOT, "apps/api/src/main.ts");
export const WORKER_MAIN = join(ROOT, "apps/worker/src/main.ts");
const BUCKET = "sluice-e2e";

export interface ServiceOptions {
  readonly queue?: "postgres" | "redis";
  readonly storage?: "disk" | "s3";
  /** How many workers to start; 1 unless told. */
  readonly workers?: number;
  /** Further settings of every process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly redisOptions?: readonly string[];
}

/** A process to start in place of the product's own main. */
export interface Start {
  readonly main?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** False: not waited for, because it may end before it is ready. */
  readonly ready?: boolean;
}

/** API and workers as real processes over a database, a store and a queue of their own. */
export interface Service extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly databaseUrl: string;
  readonly redis: OwnRedis | null;
  readonly objects: ObjectStore;
  /** The folder of the objects; null on S3. */
  readonly folder: string | null;
  /** A folder for a test's own files. */
  readonly scratch: string;
  readonly api: Running;
  readonly workers: readonly Running[];
  /** Starts the API (again), at the address it has had; resolves when it is ready. */
  startApi(start?: Start): Promise<Running>;
  /** Starts one more worker; resolves when it is ready. */
  startWorker(start?: Start): Promise<Running>;
  /** Rows of the records. */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The last lines of every process, for a failure's report. */
  tails(): string;
}

/** What cannot be tested here and why, or null: for `skipIf`, said aloud once. */
export function unreachable(options: Pick<ServiceOptions, "queue" | "storage">): string | null {
  if (options.queue === "redis" && !HAS_REDIS) return "there is no redis-server on the PATH: NOT tested on Redis";
  if (options.storage === "s3" && !process.env["S3_TEST_ENDPOINT"]) return "S3_TEST_ENDPOINT is not set: NOT tested on S3";
  return null;
}

/** Runs `test` over a fresh service, and shows what its processes said when it fails. Everything is stopped and dropped at the end. */
export async function withService(options: ServiceOptions, test: (service: Service) => Promise<void>): Promise<void> {
  await using service = await openService(options);
  try {
    await test(service);
  } catch (error) {
    console.error(service.tails());
    throw error;
  }
}

export async function openService(options: ServiceOptions = {}): Promise<Service> {
  const stack = new AsyncDisposableStack();
  try {
    const database = stack.use(await testDatabase());
    const scratch = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
    stack.defer(() => rm(scratch, { recursive: true, force: true }));
    const redis = options.queue === "redis" ? stack.use(await ownRedis(options.redisOptions)) : null;
    const storage = options.storage === "s3" ? await onS3(database.name) : onDisk(join(scratch, "objects"));
    const parsed = parseStorageUrl(storage.STORAGE_URL, storage);
    if (!parsed.ok) throw new Error(parsed.problems.join("\n"));
    const records = new pg.Pool({ connectionString: database.url, options: "-c search_path=sluice", max: 4 });
    records.on("error", () => undefined);
    stack.defer(() => records.end());
    const env: Record<string, string> = {
      DATABASE_URL: database.url,
      ...(redis ? { REDIS_URL: redis.url } : {}),
      ...storage,
      HOST: "127.0.0.1",
      WORKER_PORT: "0",
      SLUICE_API_KEY: KEY,
      SLUICE_OPEN_UPLOADS: "true",
      SLUICE_MIN_FREE_DISK: "0",
      SLUICE_DB_POOL: "6",
      SLUICE_CHILDREN: "1",
      ...options.env,
    };
    const all: Running[] = [];
    const workers: Running[] = [];
    // Stopped before the database goes; those that a test has killed are gone already.
    stack.defer(async () => void (await Promise.all(all.map((each) => each.stop()))));
    let api: Running | null = null;
    const start = async (running: Running, ready = true) => {
      all.push(running);
      if (ready) await running.ready();
      return running;
    };
    const service: Service = {
      get url() {
        return `http://127.0.0.1:${service.api.port()}`;
      },
      key: KEY,
      databaseUrl: database.url,
      redis,
      objects: openObjectStore(parsed.settings, { minFreeBytes: 0, linkSecret: "", linkBase: "" }),
      folder: parsed.settings.at === "disk" ? parsed.settings.root : null,
      scratch,
      get api() {
        if (!api) throw new Error("the API was not started");
        return api;
      },
      workers,
      startApi: async ({ main = API_MAIN, env: more = {}, ready } = {}) => {
        const before = api;
        api = run("api", main, { ...env, PORT: String(before?.port() ?? (await freePort())), ...more });
        return start(api, ready);
      },
      startWorker: async ({ main = WORKER_MAIN, env: more = {}, ready } = {}) => {
        const worker = run(`worker ${workers.length + 1}`, main, { ...env, ...more });
        workers.push(worker);
        return start(worker, ready);
      },
      query: async <Row>(sql: string, values: readonly unknown[] = []) => (await records.query(sql, [...values])).rows as Row[],
      tails: () => all.map((each) => tail(each)).join("\n"),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
    try {
      await Promise.all([service.startApi(), ...Array.from({ length: options.workers ?? 1 }, () => service.startWorker())]);
    } catch (error) {
      console.error(service.tails());
      throw error;
    }
    return service;
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function onDisk(folder: string): { STORAGE_URL: string; AWS_ACCESS_KEY_ID?: string; AWS_SECRET_ACCESS_KEY?: string } {
  return { STORAGE_URL: pathToFileURL(folder).href };
}

async function onS3(prefix: string) {
  const { S3_TEST_ENDPOINT: endpoint = "", S3_TEST_KEY: accessKeyId = "", S3_TEST_SECRET: secretAccessKey = "" } = process.env;
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  try {
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  } catch (error) {
    if (!/BucketAlready/.test((error as Error).name)) throw error;
  } finally {
    client.destroy();
  }
  return {
    STORAGE_URL: `s3://${BUCKET}/${prefix}?region=us-east-1&endpoint=${encodeURIComponent(endpoint)}`,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
}
