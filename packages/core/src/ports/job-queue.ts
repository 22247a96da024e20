/** What travels through the queue: ids only. */
export type Job =
  | { readonly kind: "file"; readonly file: string; readonly epoch: number }
  | { readonly kind: "sync"; readonly sync: number; readonly token: string }
  | { readonly kind: "inspection"; readonly inspection: string };

/**
 * The queue is a cache of work: it may lose or repeat jobs, the records decide. Methods reject with `queue_unavailable`
 * within a bounded time when the queue cannot be reached.
 */
export interface JobQueue {
  /** Adds the jobs; one whose id is already there is left as it is. Job id: `<file>.<epoch>`, `sync-<sync>.<token>` or `inspection-<id>`. */
  add(jobs: readonly Job[]): Promise<void>;
  /** Which of these jobs the queue does not hold any more (neither waiting nor active). */
  missing(jobs: readonly Job[]): Promise<readonly Job[]>;
  /** Waiting and active jobs, and age in ms of the oldest waiting one (null: none). */
  depth(): Promise<{ readonly waiting: number; readonly active: number; readonly oldestMs: number | null }>;
  /** False while adding more would fill the store's memory past 70 %. */
  hasRoom(): Promise<boolean>;
  /** Starts taking jobs; the handler's rejection is logged and the job dropped. */
  consume(concurrency: number, handler: (job: Job, signal: AbortSignal) => Promise<void>): Promise<JobConsumer>;
  close(): Promise<void>;
}

export interface JobConsumer {
  /** True while jobs are really being taken: connected and running. */
  consuming(): boolean;
  /** Takes no new job; resolves when the running ones are done or `graceMs` is over (their signal is then aborted and waited for briefly). */
  stop(graceMs: number): Promise<void>;
}
