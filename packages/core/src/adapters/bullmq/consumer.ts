import type { Queue } from "bullmq";
import type { Job, JobConsumer } from "../../ports/job-queue.ts";
import type { QueueBackend } from "./backend.ts";
import { settled, within } from "./bounded.ts";
import type { QueueLog } from "./calm-log.ts";
import { Lane } from "./lane.ts";

/** How old the answer of `consuming()` may be. A probe that takes longer than its deadline counts as down. */
const PROBE_EVERY_MS = 1_000;
const PROBE_MS = 1_000;
const LOOK_EVERY = 2;
/** How long `consume` waits for the first connection; after that it goes on in the background. */
const FIRST_MS = 3_000;

/** Takes jobs from all queues, `concurrency` at a time from each. */
export async function openConsumer(
  backend: QueueBackend,
  queues: readonly Queue<Job>[],
  concurrency: number,
  handler: (job: Job, signal: AbortSignal) => Promise<void>,
  log: QueueLog,
): Promise<JobConsumer> {
  const lanes = queues.map((queue) => new Lane(backend, queue, concurrency, handler, log));
  let answers = false;
  let rounds = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped: Promise<void> | null = null;

  const probe = async () => {
    try {
      await within(PROBE_MS, backend.probe());
      answers = true;
      if (++rounds % LOOK_EVERY === 0) await within(PROBE_MS, Promise.all(lanes.map((lane) => lane.look())));
    } catch (error) {
      if (answers && stopped === null) log.warn({ err: error }, "queue: not taking jobs, it does not answer");
      answers = false;
    }
  };
  const watch = async () => {
    await probe();
    if (stopped === null) timer = setTimeout(() => void watch(), PROBE_EVERY_MS);
  };

  await settled(FIRST_MS, Promise.all(lanes.map((lane) => lane.start())));
  await watch();

  return {
    consuming: () => answers && stopped === null && lanes.every((lane) => lane.taking),
    stop(graceMs) {
      clearTimeout(timer);
      stopped ??= Promise.all(lanes.map((lane) => lane.stop(graceMs))).then(() => undefined);
      return stopped;
    },
  };
}
