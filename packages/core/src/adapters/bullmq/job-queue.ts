import type { Queue } from "bullmq";
import type { Clock } from "../../domain/ids.ts";
import type { Job, JobConsumer, JobQueue } from "../../ports/job-queue.ts";
import { type QueueBackend, QUEUE_NAMES } from "./backend.ts";
import { bounded, settled } from "./bounded.ts";
import { type QueueLog, calmLog } from "./calm-log.ts";
import { openConsumer } from "./consumer.ts";
import { jobId } from "./job-id.ts";
import { openPostgresBackend } from "./postgres-backend.ts";
import { openRedisBackend } from "./redis-backend.ts";

/** On PostgreSQL a bulk add makes two temporary tables, which costs more than a few single adds. */
const BULK_FROM = 5;
const BULK_MAX = 1_000;
const CLOSE_MS = 3_000;

export interface JobQueueOptions {
  /** Given: the queue is on Redis, else on PostgreSQL. */
  readonly redisUrl?: string;
  readonly databaseUrl: string;
  /** Of every key in Redis; the braces keep all of them in one cluster slot. */
  readonly prefix?: string;
  readonly log: QueueLog;
  readonly clock: Pick<Clock, "now">;
  /** How long a call may take before it is `queue_unavailable`. */
  readonly deadlineMs?: number;
  /** Ends the waiting for PostgreSQL: `openJobQueue` then rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** The queue, and what a dashboard shows. */
export interface BullJobQueue extends JobQueue {
  readonly queues: readonly Queue[];
}

/**
 * Opens the queue. On Redis it resolves at once and connects in the background; on PostgreSQL it resolves when the
 * database answers and BullMQ's schema is in it.
 */
export async function openJobQueue(options: JobQueueOptions): Promise<BullJobQueue> {
  const { redisUrl, databaseUrl, prefix = "{sluice}", clock, deadlineMs = 5_000, signal } = options;
  const log = calmLog(options.log, clock);
  const backend =
    redisUrl === undefined ? await openPostgresBackend(databaseUrl, log, signal) : openRedisBackend(redisUrl, prefix, log, clock);
  const byKind = {
    file: openQueue(backend, "file", log),
    sync: openQueue(backend, "sync", log),
    inspection: openQueue(backend, "inspection", log),
  };
  const queues = Object.values(byKind);
  const consumers: JobConsumer[] = [];

  return {
    queues: queues as unknown as readonly Queue[],
    add: (jobs) => perKind(jobs, (kind, some) => bounded("take jobs", deadlineMs, () => addAll(byKind[kind], some))),
    async missing(jobs) {
      const gone = new Set<Job>();
      await perKind(jobs, async (kind, some) => {
        const ids = some.map(jobId);
        const held = await bounded("tell what it holds", deadlineMs, () => backend.held(byKind[kind], ids));
        some.forEach((job, at) => held.has(ids[at] ?? "") || gone.add(job));
      });
      return jobs.filter((job) => gone.has(job));
    },
    depth: () => bounded("tell its depth", deadlineMs, () => depthOf(queues, clock)),
    hasRoom: () => bounded("tell its room", deadlineMs, () => backend.hasRoom()),
    async consume(concurrency, handler) {
      const consumer = await openConsumer(backend, queues, concurrency, handler, log);
      consumers.push(consumer);
      return consumer;
    },
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.stop(0)));
      await settled(CLOSE_MS, Promise.allSettled(queues.map((queue) => queue.close())));
      await backend.close();
    },
  };
}

function openQueue(backend: QueueBackend, kind: Job["kind"], log: QueueLog): Queue<Job> {
  const queue = backend.queue(QUEUE_NAMES[kind]);
  queue.on("error", (error) => log.warn({ err: error, queue: queue.name }, "queue: connection error"));
  return queue;
}

async function perKind(jobs: readonly Job[], act: (kind: Job["kind"], jobs: readonly Job[]) => Promise<void>): Promise<void> {
  const kinds = (["file", "sync", "inspection"] as const).map((kind) => ({ kind, some: jobs.filter((job) => job.kind === kind) }));
  await Promise.all(kinds.filter(({ some }) => some.length > 0).map(({ kind, some }) => act(kind, some)));
}

async function addAll(queue: Queue<Job>, jobs: readonly Job[]): Promise<void> {
  const entries = jobs.map((job) => ({ name: job.kind, data: job, opts: { jobId: jobId(job) } }));
  if (entries.length < BULK_FROM) {
    // One after the other: on PostgreSQL's several connections they would change their order.
    for (const { name, data, opts } of entries) await queue.add(name, data, opts);
    return;
  }
  for (let at = 0; at < entries.length; at += BULK_MAX) await queue.addBulk(entries.slice(at, at + BULK_MAX));
}

async function depthOf(queues: readonly Queue<Job>[], clock: Pick<Clock, "now">): ReturnType<JobQueue["depth"]> {
  const each = await Promise.all(
    queues.map(async (queue) => {
      const counts = await queue.getJobCounts("wait", "prioritized", "delayed", "active");
      const { active = 0, ...waiting } = counts;
      const [oldest] = await queue.getJobs(["wait", "prioritized"], 0, 0, true);
      return { waiting: Object.values(waiting).reduce((sum, count) => sum + count, 0), active, since: oldest?.timestamp };
    }),
  );
  const since = each.flatMap(({ since }) => (since === undefined ? [] : [since]));
  return {
    waiting: each.reduce((sum, { waiting }) => sum + waiting, 0),
    active: each.reduce((sum, { active }) => sum + active, 0),
    oldestMs: since.length === 0 ? null : Math.max(0, clock.now() - Math.min(...since)),
  };
}
