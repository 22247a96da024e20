import { randomBytes, randomUUID } from "node:crypto";
import { Socket } from "node:net";
import { hostname } from "node:os";
import { openJobQueue } from "@sluice/core/adapters/bullmq/job-queue";
import { openObjectStore, parseStorageUrl } from "@sluice/core/adapters/object-store-from-url";
import { openRecords } from "@sluice/core/adapters/postgres/open-records";
import { type Config, ConfigError, type Environment, readConfig } from "@sluice/core/config";
import { type FaultRecord, isFault } from "@sluice/core/domain/fault";
import type { IngestReport } from "@sluice/core/ingest";
import { type Logger, pino } from "pino";
import { childPool } from "./child-pool.ts";
import { serveHealth } from "./health.ts";
import { heldFiles } from "./held-files.ts";
import { workerMetrics } from "./metrics.ts";
import { slots } from "./slots.ts";
import { startWorker, type WorkerDeps } from "./worker.ts";

const GRACE_MS = 8_000;
/** Dead parts stay this much longer than the longest link to them works. */
const PART_GRACE_MS = 3_600_000;
const DAY_MS = 86_400_000;
const CONNECT_AGAIN_MS = 500;

function configure(environment: Environment) {
  const parsed = parseStorageUrl(environment["STORAGE_URL"] ?? "", environment);
  const config = readConfig(environment, parsed.ok || !environment["STORAGE_URL"] ? [] : parsed.problems);
  if (!parsed.ok) throw new ConfigError(parsed.problems);
  return { config, storage: parsed.settings };
}

/** The records may come up after the worker: wait for them, saying so once. */
async function connect<T>(log: Logger, open: () => Promise<T>, stopping: AbortSignal): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (!isFault(error) || error.blame !== "platform" || stopping.aborted) throw error;
      if (attempt === 0) log.warn({ err: error }, "the records do not answer yet; trying again");
      await new Promise((resolve) => setTimeout(resolve, CONNECT_AGAIN_MS));
    }
  }
}

/** Resolves when the process is asked to stop: a signal, or the end of the pipe that its parent holds. */
function stopRequest(config: Config): AbortSignal {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  if (config.parentFd !== null) {
    // No file stream: its read would wait in a thread, and a process that ends waits for its threads (measured: for ever).
    const pipe = new Socket({ fd: config.parentFd, readable: true, writable: false });
    pipe.on("end", stop).on("close", stop).on("error", stop).resume();
  }
  return stopping.signal;
}

function reporter(log: Logger, observe: (report: IngestReport) => void) {
  return (report: IngestReport) => {
    observe(report);
    const { file, end, ms, rows, error } = report;
    const ids = { org: file.org, file: file.id, sync: file.sync, dataset: file.dataset, epoch: file.epoch };
    const detail = { ...ids, end, ms: Math.round(ms), rows, bytes: file.bytes, name: file.name };
    if (end === "loaded" || end === "stored" || end === "stale") log.info(detail, `file ${end}`);
    else if (isFault(error) || !(error instanceof Error)) {
      const fault = isFault(error) ? error.toRecord() : (error as FaultRecord | null);
      log.warn({ ...detail, fault }, `file ${end}: ${file.name}: ${fault?.message ?? "no reason known"}`);
    } else log.error({ ...detail, err: error }, `file ${end}`);
  };
}

/** Lets a test stand between the worker and its ports, to end the process at a given step. */
export type Decorate = (deps: WorkerDeps) => WorkerDeps;

/**
 * Runs a worker until it is asked to stop. Throws `ConfigError` when the environment is wrong, and what the records or
 * the queue throw when they cannot be used at all.
 */
export async function runWorker(environment: Environment, decorate: Decorate = (deps) => deps): Promise<void> {
  const { config, storage } = configure(environment);
  // Written at once: with a line still on its way to a reader that is gone, pino's flush at exit would try for ever (sonic-boom 4.2.1).
  const log = pino(
    { level: config.logLevel, base: { service: "worker", pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 1, sync: true }),
  );
  const stopping = stopRequest(config);
  const clock = { now: () => Date.now(), random: (count: number) => randomBytes(count) };
  const pool = childPool({ size: config.children, log, clock });
  const records = await connect(log, () => openRecords({ databaseUrl: config.databaseUrl, poolSize: config.dbPool, clock, log }), stopping);
  const queue = await openJobQueue({
    databaseUrl: config.databaseUrl,
    ...(config.redisUrl === null ? {} : { redisUrl: config.redisUrl }),
    log,
    clock,
    signal: stopping,
  });
  // The worker makes no links; the API's secret stays with the API.
  const objects = openObjectStore(storage, { minFreeBytes: config.minFreeDiskBytes, linkSecret: "", linkBase: "" });
  const warn = (message: string) => (error: unknown) => log.warn({ err: error }, message);
  const held = heldFiles(records.work, config.leaseMs, warn("heartbeat failed"));
  const metrics = workerMetrics(() => held.size());
  const deps: WorkerDeps = {
    ...records,
    objects,
    queue,
    clock,
    converter: pool,
    limits: config.limits,
    worker: `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`,
    leaseMs: config.leaseMs,
    held,
    enter: slots(),
    perOrg: config.perOrgQueue,
    dispatching: new Map(),
    trashDays: config.trashDays,
    graceMs: PART_GRACE_MS + config.linkMinutes * 60_000,
    rawMs: config.rawDays === null ? null : config.rawDays * DAY_MS,
    now: clock.now,
    concurrency: config.workerConcurrency,
    log,
    onOutcome: reporter(log, (report) => metrics.observe(report)),
    onLeftover: (error, keys) => log.warn({ err: error, keys }, "objects were left for the janitor"),
    onEnqueueError: warn("dispatch failed; it is tried again"),
    onPutBack: (counts) => log.warn(counts, "put files back that were lost"),
  };
  const worker = await startWorker(decorate(deps));
  const health = await serveHealth({ host: "127.0.0.1", port: config.workerPort }, () => worker.ready(), metrics.registry);
  log.info({ port: health.port }, "worker started");
  await new Promise((resolve) => (stopping.aborted ? resolve(null) : stopping.addEventListener("abort", resolve)));
  log.info("worker stops");
  await worker.stop(GRACE_MS);
  await Promise.all([health.close(), pool.close(), queue.close()]);
  await records.close();
}
