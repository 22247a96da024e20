import { randomUUID } from "node:crypto";
import type { InspectionId, SyncId } from "@sluice/core/domain/ids";
import { isFault } from "@sluice/core/domain/fault";
import { changeSchema, type ChangeSchemaDeps } from "@sluice/core/flow/change-schema";
import { completeSync, type CompleteDeps } from "@sluice/core/flow/complete";
import { enqueue, type EnqueueDeps } from "@sluice/core/flow/enqueue";
import { writeCurrent } from "@sluice/core/flow/write-current";
import { inspectFile, type InspectFileDeps } from "@sluice/core/flow/inspect-file";
import { ingest, type IngestDeps, WorkerStopping } from "@sluice/core/ingest";
import type { Leases } from "@sluice/core/ports/leases";
import type { JobConsumer } from "@sluice/core/ports/job-queue";
import { every, type Recurring } from "./every.ts";
import type { Heartbeat } from "./held-files.ts";
import { collectOrphans, type JanitorDeps, tidy } from "./janitor.ts";
import { reconcile, type ReconcilerDeps } from "./reconciler.ts";

export interface WorkerDeps extends IngestDeps, InspectFileDeps, CompleteDeps, ChangeSchemaDeps, EnqueueDeps, ReconcilerDeps, JanitorDeps {
  readonly held: Heartbeat;
  readonly leases: Leases;
  readonly concurrency: number;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

export interface Worker {
  /** True while jobs are really being taken. */
  ready(): boolean;
  /** Takes no new job; files still running after the grace are given back. Resolves within it and a little. */
  stop(graceMs: number): Promise<void>;
}

const HEARTBEATS_A_LEASE = 3;
const RECONCILE_MS = 1_000;
const SYNCS_MS = 1_000;
const CURRENT_MS = 250;
const SCHEMA_MS = 500;
const JANITOR_MS = 60_000;
const ORPHANS_MS = 3_600_000;
const LIMIT = 200;

/** Takes jobs from the queue and runs the housekeepers. */
export async function startWorker(deps: WorkerDeps): Promise<Worker> {
  const stopping = new AbortController();
  const warn = (what: string) => (error: unknown) => logError(deps, what, error);
  const consumer: JobConsumer = await deps.queue.consume(deps.concurrency, async (job, signal) => {
    const ends = AbortSignal.any([signal, stopping.signal]);
    if (job.kind === "sync") return void (await completeSync(deps, job.sync as SyncId, ends));
    if (job.kind === "inspection") return inspectFile(deps, job.inspection as InspectionId, ends);
    const sync = await ingest(deps, job, ends);
    enqueueMore(deps);
    if (sync !== null) await completeSync(deps, sync, ends);
  });
  const tasks: Recurring[] = [
    every(deps.leaseMs / HEARTBEATS_A_LEASE, () => deps.held.beat(), warn("heartbeat")),
    every(RECONCILE_MS, () => reconcile(deps), warn("reconciler")),
    every(SYNCS_MS, (signal) => completeDue(deps, signal), warn("completion of syncs")),
    every(CURRENT_MS, () => writeBehind(deps), warn("writer of current.json")),
    every(SCHEMA_MS, (signal) => changeDue(deps, signal), warn("schema changes")),
    every(JANITOR_MS, (signal) => leased(deps, "janitor", JANITOR_MS, () => tidy(deps, signal)), warn("janitor")),
    every(ORPHANS_MS, (signal) => leased(deps, "orphans", ORPHANS_MS, () => collectOrphans(deps, signal)), warn("collection of orphans")),
  ];
  return {
    ready: () => !stopping.signal.aborted && consumer.consuming(),
    stop: async (graceMs) => {
      const late = setTimeout(() => stopping.abort(new WorkerStopping()), graceMs);
      // The heartbeat goes on until the last file is done or given back.
      const [heartbeat, ...others] = tasks;
      await Promise.all([consumer.stop(graceMs + GIVE_BACK_MS), ...others.map((task) => task.stop())]);
      clearTimeout(late);
      await heartbeat?.stop();
    },
  };
}

const GIVE_BACK_MS = 1_500;

/** An org with more due files than its share of the queue gets the next ones long before that share is used up. */
function enqueueMore(deps: WorkerDeps): void {
  finished += 1;
  if (finished % Math.max(1, Math.floor(deps.perOrg / REFILLS_A_SHARE)) === 0) enqueue(deps, null);
}

const REFILLS_A_SHARE = 4;
let finished = 0;

async function completeDue(deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  for (const sync of await deps.syncs.due(LIMIT)) await completeSync(deps, sync, signal);
}

async function writeBehind(deps: WorkerDeps): Promise<void> {
  for (const dataset of await deps.current.behind(LIMIT)) await writeCurrent(deps, dataset, false);
}

const SCHEMA_LEASE_MS = 3_600_000;

async function changeDue(deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const change = await deps.schemaChanges.take(SCHEMA_LEASE_MS);
    if (!change) return;
    await changeSchema(deps, change, signal);
  }
}

const holder = randomUUID();

async function leased(deps: WorkerDeps, name: string, leaseMs: number, work: () => Promise<unknown>): Promise<void> {
  if (await deps.leases.take(name, holder, leaseMs)) await work();
}

function logError(deps: WorkerDeps, what: string, error: unknown): void {
  if (isFault(error) && error.blame === "platform") deps.log.warn({ err: error, code: error.code }, `${what}: ${error.message}`);
  else deps.log.error({ err: error }, `${what} failed`);
}
