import type { Processor, Queue, Worker } from "bullmq";
import type { Job } from "../../ports/job-queue.ts";

/** The queues by name: one a kind of job, so that a flood of files delays neither a sync's end nor a dry run. */
export const QUEUE_NAMES = { file: "files", sync: "syncs", inspection: "inspections" } as const satisfies Record<Job["kind"], string>;
export type QueueName = (typeof QUEUE_NAMES)[Job["kind"]];

/** What differs between BullMQ on Redis and BullMQ on PostgreSQL. */
export interface QueueBackend {
  /** A queue to add to and to look into. */
  queue(name: QueueName): Queue<Job>;
  /** A worker that does not run yet. Its connections are its own, so that a replaced one takes nothing with it. */
  worker(name: QueueName, processor: Processor<Job>, concurrency: number): Worker<Job>;
  /** Which of these job ids are waiting or active. */
  held(queue: Queue<Job>, ids: readonly string[]): Promise<ReadonlySet<string>>;
  hasRoom(): Promise<boolean>;
  /** Rejects when jobs could not be taken now. Also puts right what it can: a lost schema is made again. */
  probe(): Promise<void>;
  /** The connections that are this ready worker's alone; `status` is "ready" while they stand. */
  connections(worker: Worker<Job>): Promise<readonly { readonly status: string }[]>;
  close(): Promise<void>;
}

/**
 * A worker that dies with a job taken but its file not yet claimed leaves it to BullMQ's own check for stalled jobs: at most a lock
 * and an interval later it waits again (with 10 s and 5 s, measured: 13 s, more than a dead worker's file may wait).
 * `runRetryDelay` is 15 s by default, which a worker would wait after an outage. `maxStalledCount` is high because a
 * strike is the records' decision, never the queue's.
 */
export const WORKER_OPTIONS = {
  autorun: false,
  runRetryDelay: 1_000,
  lockDuration: 5_000,
  stalledInterval: 2_500,
  maxStalledCount: 1_000_000,
  drainDelay: 2,
} as const;

/** A kept job blocks adds of the same id silently, so nothing is kept; retries are the records' business. */
export const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const;

/** Nobody reads the event stream; BullMQ would keep 10,000 events a queue. */
export const STREAM_OPTIONS = { events: { maxLen: 100 } } as const;
