import { type Job as BullJob, type Queue, type Worker, WaitingError } from "bullmq";
import type { Job } from "../../ports/job-queue.ts";
import type { QueueBackend, QueueName } from "./backend.ts";
import { settled } from "./bounded.ts";
import type { QueueLog } from "./calm-log.ts";
import { jobOf } from "./job-id.ts";

const AGAIN_MS = 500;
const CLOSE_MS = 2_000;
/** How long handlers get after their signal was aborted. */
const ABORTED_MS = 1_000;
/** More errors than this within a second are a storm: BullMQ then asks again without any pause and eats the event loop. */
const STORM = 20;
const STORM_MS = 1_000;
/** Looks at waiting jobs without any being taken before the worker counts as stuck. */
const STUCK_LOOKS = 3;

type Handler = (job: Job, signal: AbortSignal) => Promise<void>;

/**
 * Takes the jobs of one queue for as long as it is not stopped: opens a BullMQ worker, makes a new one when the first
 * connect fails (BullMQ keeps that failure for ever) or when it is stuck, brakes it in a storm of errors.
 */
export class Lane {
  readonly #queue: Queue<Job>;
  readonly #backend: QueueBackend;
  readonly #concurrency: number;
  readonly #handler: Handler;
  readonly #log: QueueLog;
  readonly #running = new Map<AbortController, Promise<void>>();
  #worker: Worker<Job> | null = null;
  /** Of the running worker; null while there is none. */
  #connections: readonly { readonly status: string }[] | null = null;
  #stopping = false;
  #errors = { sinceMs: 0, count: 0 };
  #braked: NodeJS.Timeout | null = null;
  #started = 0;
  #seen = { started: -1, looks: 0 };

  constructor(backend: QueueBackend, queue: Queue<Job>, concurrency: number, handler: Handler, log: QueueLog) {
    this.#backend = backend;
    this.#queue = queue;
    this.#concurrency = concurrency;
    this.#handler = handler;
    this.#log = log;
  }

  /** Connected, running and not braked. */
  get taking(): boolean {
    const worker = this.#worker;
    if (this.#stopping || this.#braked !== null || worker === null || this.#connections === null) return false;
    return worker.isRunning() && !worker.isPaused() && this.#connections.every(({ status }) => status === "ready");
  }

  /** Resolves when the worker takes jobs, or the lane was stopped. */
  async start(): Promise<void> {
    while (!this.#stopping) {
      const worker = this.#backend.worker(this.#queue.name as QueueName, (job, token) => this.#take(job, token), this.#concurrency);
      worker.on("error", (error) => this.#onError(worker, error));
      this.#worker = worker;
      let connections: readonly { readonly status: string }[];
      try {
        await worker.waitUntilReady();
        connections = await this.#backend.connections(worker);
      } catch (error) {
        this.#log.warn({ err: error, queue: this.#queue.name }, "queue: a worker could not start");
        await this.#discard(worker);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        continue;
      }
      if (worker !== this.#worker) return;
      this.#connections = connections;
      worker.run().catch((error: unknown) => this.#replace(worker, error));
      return;
    }
  }

  /** Replaces a worker that leaves jobs waiting though it has room. Called every few seconds while the queue answers. */
  async look(): Promise<void> {
    if (!this.taking || this.#running.size >= this.#concurrency) return;
    const counts = await this.#queue.getJobCounts("wait", "prioritized");
    const waiting = (counts["wait"] ?? 0) + (counts["prioritized"] ?? 0) > 0;
    if (!waiting || this.#started !== this.#seen.started) this.#seen = { started: this.#started, looks: waiting ? 1 : 0 };
    else if (++this.#seen.looks >= STUCK_LOOKS && this.#worker !== null) {
      this.#seen.looks = 0;
      this.#replace(this.#worker, new Error("jobs wait and are not taken"));
    }
  }

  /** Takes nothing more; waits `graceMs` for the running handlers, then aborts them and waits a second more. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#unbrake();
    const worker = this.#worker;
    // Closing ends the taking at once, waits for the handlers, then ends the connections.
    const closed = worker?.close().catch((error: unknown) => this.#onError(worker, error)) ?? Promise.resolve();
    if (!(await settled(graceMs, this.#idle()))) {
      for (const controller of this.#running.keys()) controller.abort(new Error("the worker stops"));
      await settled(ABORTED_MS, this.#idle());
    }
    if (worker && !(await settled(CLOSE_MS, closed))) worker.disconnect().catch(() => undefined);
  }

  async #idle(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #take(entry: BullJob<Job>, token: string | undefined): Promise<void> {
    if (this.#stopping) {
      // Fetched while stopping: back to the queue, so that another worker takes it at once.
      await entry.moveToWait(token);
      throw new WaitingError();
    }
    const job = jobOf(entry.data);
    if (job === null) {
      this.#log.error({ queue: this.#queue.name, job: entry.id }, "queue: dropped a job that is none of ours");
      return;
    }
    const controller = new AbortController();
    const handled = this.#handle(job, controller.signal);
    this.#running.set(controller, handled);
    this.#started++;
    await handled;
    this.#running.delete(controller);
  }

  /** Never rejects: to BullMQ every job is done, because its records, not the queue, know what became of it. */
  async #handle(job: Job, signal: AbortSignal): Promise<void> {
    try {
      await this.#handler(job, signal);
    } catch (error) {
      this.#log.error({ err: error, job }, "queue: a job's handler failed; the job is dropped");
    }
  }

  #onError(worker: Worker<Job>, error: unknown): void {
    if (!this.#stopping) this.#log.warn({ err: error, queue: this.#queue.name }, "queue: worker error");
    const now = performance.now();
    if (now - this.#errors.sinceMs > 1_000) this.#errors = { sinceMs: now, count: 0 };
    if (++this.#errors.count > STORM && this.#braked === null && worker === this.#worker && !this.#stopping) this.#brake(worker);
  }

  #brake(worker: Worker<Job>): void {
    worker.pause(true).catch(() => undefined);
    this.#braked = setTimeout(() => {
      this.#braked = null;
      if (worker === this.#worker && !this.#stopping) worker.resume().catch(() => undefined);
    }, STORM_MS);
  }

  #unbrake(): void {
    if (this.#braked !== null) clearTimeout(this.#braked);
    this.#braked = null;
  }

  #replace(worker: Worker<Job>, error: unknown): void {
    if (this.#stopping || worker !== this.#worker) return;
    this.#log.warn({ err: error, queue: this.#queue.name }, "queue: worker replaced");
    void this.#discard(worker);
    void this.start();
  }

  /** The handlers of a discarded worker run on; their jobs come again and the records refuse the second claim. */
  async #discard(worker: Worker<Job>): Promise<void> {
    this.#connections = null;
    this.#worker = null;
    this.#unbrake();
    if (!(await settled(CLOSE_MS, worker.close(true)))) worker.disconnect().catch(() => undefined);
  }
}
