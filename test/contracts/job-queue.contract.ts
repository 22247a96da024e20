import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { BullJobQueue, JobQueueOptions } from "@sluice/core/adapters/bullmq/job-queue";
import type { Job, JobConsumer } from "@sluice/core/ports/job-queue";
import type { TcpProxy } from "./tcp-proxy.ts";

/** A server to test against, reached over a wire that can be cut. */
export interface QueueHarness {
  readonly line: TcpProxy;
  open(options: Pick<JobQueueOptions, "log" | "clock" | "deadlineMs">): Promise<BullJobQueue>;
  /** Loses every job, as FLUSHALL or TRUNCATE does. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}

const DEADLINE_MS = 1_500;
const soon = { timeout: 10_000, interval: 10 };

/** What every job queue promises. */
export function jobQueueContract(name: string, make: () => Promise<QueueHarness>): void {
  describe(`a job queue ${name}`, () => {
    let harness: QueueHarness;
    let queue: BullJobQueue;
    let lines: string[];
    let last = 0;
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown) => unhandled.push(error);

    const log = () => ({ info: line, warn: line, error: line });
    const line = (_fields: object, message: string) => void lines.push(message);
    const open = () => harness.open({ log: log(), clock: Date, deadlineMs: DEADLINE_MS });
    const file = (): Job => ({ kind: "file", file: `file-${++last}`, epoch: 1 });
    const sync = (): Job => ({ kind: "sync", sync: ++last, token: "end" });

    beforeAll(async () => {
      process.on("unhandledRejection", onUnhandled);
      harness = await make();
    });
    afterAll(async () => {
      await harness.close();
      process.off("unhandledRejection", onUnhandled);
    });
    beforeEach(async () => {
      lines = [];
      queue = await open();
    });
    afterEach(async () => {
      await harness.line.mend();
      await queue.close();
      await harness.wipe();
      expect(unhandled).toEqual([]);
    });

    /** Consumes into a list that can be waited for. */
    async function collect(concurrency = 2): Promise<{ consumer: JobConsumer; got: Job[]; has: (job: Job) => Promise<void> }> {
      const got: Job[] = [];
      const consumer = await queue.consume(concurrency, async (job) => void got.push(job));
      return { consumer, got, has: (job) => vi.waitFor(() => expect(got).toContainEqual(job), soon) };
    }

    it("hands every added job to the handler, files and syncs, one or many", async () => {
      const { got } = await collect();
      const many = Array.from({ length: 300 }, file);
      const jobs = [file(), sync(), ...many];
      await queue.add(jobs);
      await queue.add([]);
      await vi.waitFor(() => expect(got).toHaveLength(jobs.length), soon);
      expect(new Set(got.map((job) => JSON.stringify(job)))).toEqual(new Set(jobs.map((job) => JSON.stringify(job))));
    });

    it("hands them out in the order in which they were added", async () => {
      const jobs = Array.from({ length: 12 }, file);
      for (const some of [jobs.slice(0, 3), jobs.slice(3, 4), jobs.slice(4)]) await queue.add(some);
      const { got } = await collect(1);
      await vi.waitFor(() => expect(got).toEqual(jobs), soon);
    });

    it("an idle worker picks a job up within milliseconds", async () => {
      let took = (_job: Job): void => undefined;
      await queue.consume(1, async (job) => took(job));
      const ms: number[] = [];
      for (let i = 0; i < 20; i++) {
        const taken = new Promise<Job>((resolve) => (took = resolve));
        const startedMs = performance.now();
        await queue.add([file()]);
        await taken;
        ms.push(performance.now() - startedMs);
      }
      expect(ms.toSorted((a, b) => a - b)[10]).toBeLessThan(25);
    });

    it("holds a job added twice once, waiting or running, and takes it again when it is done", async () => {
      const [one, another] = [file(), sync()];
      await queue.add([one, another]);
      await queue.add([one, one, another]);
      expect(await queue.depth()).toMatchObject({ waiting: 2, active: 0 });
      let release = (): void => undefined;
      const handled: Job[] = [];
      await queue.consume(2, async (job) => {
        handled.push(job);
        await new Promise<void>((resolve) => (release = resolve));
      });
      await vi.waitFor(() => expect(handled).toHaveLength(2), soon);
      const runs = () => handled.filter((job) => job.kind === "file").length;
      await queue.add([one]);
      expect(await queue.depth()).toMatchObject({ waiting: 0, active: 2 });
      expect(runs()).toBe(1);
      release();
      await vi.waitFor(async () => expect(await queue.missing([one, another])).not.toHaveLength(0), soon);
    });

    it("tells which jobs it does not hold", async () => {
      const jobs = [...Array.from({ length: 250 }, file), sync()];
      const others = [file(), sync()];
      await queue.add(jobs);
      expect(await queue.missing([...jobs, ...others])).toEqual(others);
      expect(await queue.missing([])).toEqual([]);
      await harness.wipe();
      expect(await queue.missing(jobs)).toEqual(jobs);
    });

    it("holds a running job; a done one it does not", async () => {
      const job = file();
      const begun = Promise.withResolvers<void>();
      const end = Promise.withResolvers<void>();
      await queue.consume(1, () => (begun.resolve(), end.promise));
      await queue.add([job]);
      await begun.promise;
      expect(await queue.missing([job])).toEqual([]);
      end.resolve();
      await vi.waitFor(async () => expect(await queue.missing([job])).toEqual([job]), soon);
    });

    it("knows its depth and the age of the oldest waiting job", async () => {
      expect(await queue.depth()).toEqual({ waiting: 0, active: 0, oldestMs: null });
      await queue.add([file(), file(), sync()]);
      const { waiting, active, oldestMs } = await queue.depth();
      expect({ waiting, active }).toEqual({ waiting: 3, active: 0 });
      expect(oldestMs).toBeLessThan(5_000);
      expect(oldestMs).toBeGreaterThanOrEqual(0);
    });

    it("has room when it is small", async () => {
      expect(await queue.hasRoom()).toBe(true);
    });

    it("a handler that rejects is logged, its job is dropped and not run again", async () => {
      const job = file();
      let runs = 0;
      await queue.consume(1, async () => {
        runs++;
        throw new Error("\u0000 no \ud800");
      });
      await queue.add([job]);
      await vi.waitFor(async () => expect(await queue.missing([job])).toEqual([job]), soon);
      expect(await queue.depth()).toEqual({ waiting: 0, active: 0, oldestMs: null });
      expect(runs).toBe(1);
      expect(lines).toContain("queue: a job's handler failed; the job is dropped");
    });

    it("runs as many jobs at once as it was told, of each kind", async () => {
      const end = Promise.withResolvers<void>();
      const running: Job[] = [];
      await queue.consume(3, (job) => (running.push(job), end.promise));
      await queue.add(Array.from({ length: 8 }, file));
      await vi.waitFor(() => expect(running).toHaveLength(3), soon);
      const other = sync();
      await queue.add([other]);
      await vi.waitFor(() => expect(running).toContainEqual(other), soon);
      expect(running).toHaveLength(4);
      end.resolve();
      await vi.waitFor(() => expect(running).toHaveLength(9), soon);
    });

    it("stop waits for the running job and takes no other", async () => {
      const begun = Promise.withResolvers<void>();
      const end = Promise.withResolvers<void>();
      const handled: Job[] = [];
      const consumer = await queue.consume(1, async (job, signal) => {
        begun.resolve();
        await end.promise;
        if (!signal.aborted) handled.push(job);
      });
      const [one, another] = [file(), file()];
      await queue.add([one, another]);
      await begun.promise;
      const stopped = consumer.stop(20_000);
      expect(consumer.consuming()).toBe(false);
      await queue.add([sync()]);
      end.resolve();
      await stopped;
      expect(handled).toEqual([one]);
      expect(await queue.depth()).toMatchObject({ waiting: 2, active: 0 });
    });

    it("stop aborts what runs past its grace", async () => {
      const begun = Promise.withResolvers<void>();
      let aborted = false;
      const consumer = await queue.consume(1, async (_job, signal) => {
        begun.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted = true;
      });
      await queue.add([file()]);
      await begun.promise;
      await consumer.stop(50);
      expect(aborted).toBe(true);
    });

    it("stop ends in time although a handler never does", async () => {
      const begun = Promise.withResolvers<void>();
      const consumer = await queue.consume(1, () => (begun.resolve(), new Promise(() => undefined)));
      await queue.add([file()]);
      await begun.promise;
      const startedMs = performance.now();
      await consumer.stop(50);
      expect(performance.now() - startedMs).toBeLessThan(4_500);
    });

    describe("in an outage", () => {
      it.each(["cut", "freeze"] as const)("(%s) calls fail as queue_unavailable within their deadline", async (how) => {
        await queue.depth();
        await harness.line[how]();
        const startedMs = performance.now();
        const calls = [queue.add([file()]), queue.add(Array.from({ length: 20 }, sync)), queue.missing([file()]), queue.depth()];
        for (const result of await Promise.allSettled(calls)) {
          expect(result).toMatchObject({ status: "rejected", reason: { code: "queue_unavailable" } });
        }
        expect(performance.now() - startedMs).toBeLessThan(DEADLINE_MS + 500);
      });

      it.each(["cut", "freeze"] as const)("(%s) consuming() tells the truth, and an idle worker goes on afterwards", async (how) => {
        const { consumer, has } = await collect();
        expect(consumer.consuming()).toBe(true);
        await harness.line[how]();
        await vi.waitFor(() => expect(consumer.consuming()).toBe(false), soon);
        await harness.line.mend();
        const mendedMs = performance.now();
        await vi.waitFor(() => expect(consumer.consuming()).toBe(true), soon);
        const job = file();
        await vi.waitFor(() => queue.add([job]), soon);
        await has(job);
        expect(performance.now() - mendedMs).toBeLessThan(5_000);
      });

      it("a busy worker finishes its job and takes the next afterwards", async () => {
        const begun = Promise.withResolvers<void>();
        const end = Promise.withResolvers<void>();
        const handled: Job[] = [];
        const consumer = await queue.consume(1, async (job) => {
          begun.resolve();
          await end.promise;
          handled.push(job);
        });
        const [one, another] = [file(), file()];
        await queue.add([one, another]);
        await begun.promise;
        await harness.line.cut();
        await vi.waitFor(() => expect(consumer.consuming()).toBe(false), soon);
        end.resolve();
        await vi.waitFor(() => expect(handled).toContainEqual(one), soon);
        await harness.line.mend();
        await vi.waitFor(() => expect(handled).toContainEqual(another), { ...soon, timeout: 5_000 });
      });

      it("a worker that starts before its server does takes jobs once it is there", async () => {
        await queue.close();
        await harness.line.cut();
        const opening = open();
        const consumer = opening.then((opened) => ((queue = opened), collect()));
        await new Promise((resolve) => setTimeout(resolve, 600)); // past the first retries
        await harness.line.mend();
        const { has } = await consumer;
        const job = file();
        await vi.waitFor(() => queue.add([job]), soon);
        await has(job);
      });

      it("a worker that starts during it takes jobs once it is over", async () => {
        await queue.depth();
        await harness.line.cut();
        const { consumer, has } = await collect();
        expect(consumer.consuming()).toBe(false);
        await harness.line.mend();
        await vi.waitFor(() => expect(consumer.consuming()).toBe(true), soon);
        const job = file();
        await queue.add([job]);
        await has(job);
      });

      it("stop and close end in time", async () => {
        const { consumer } = await collect();
        await harness.line.cut();
        const startedMs = performance.now();
        await consumer.stop(100);
        await queue.close();
        expect(performance.now() - startedMs).toBeLessThan(8_000);
        await harness.line.mend();
        queue = await open();
      });

      it("no more than ten lines a second are logged", async () => {
        const { consumer } = await collect(4);
        const startedMs = Date.now();
        await harness.line.cut();
        await vi.waitFor(() => expect(consumer.consuming()).toBe(false), soon);
        await vi.waitFor(() => expect(lines).toContain("queue: worker error"), soon);
        expect(lines.length).toBeLessThanOrEqual(10 * ((Date.now() - startedMs) / 1_000 + 1));
      });
    });

    it("losing everything costs the jobs, not the workers", async () => {
      const begun = Promise.withResolvers<void>();
      const end = Promise.withResolvers<void>();
      const handled: Job[] = [];
      await queue.consume(2, async (job) => {
        begun.resolve();
        await end.promise;
        handled.push(job);
      });
      const [one, another] = [file(), file()];
      await queue.add([one]);
      await begun.promise;
      await harness.wipe();
      expect(await queue.missing([one])).toEqual([one]);
      end.resolve();
      await queue.add([another]);
      await vi.waitFor(() => expect(handled).toEqual(expect.arrayContaining([one, another])), soon);
    });

    it("two processes may open it at the same time", async () => {
      const others = await Promise.all([open(), open(), open()]);
      await Promise.all(others.map((other) => other.depth()));
      await Promise.all(others.map((other) => other.close()));
    });
  });
}
