import { EventEmitter } from "node:events";
import type { Queue, Worker } from "bullmq";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Job } from "../../ports/job-queue.ts";
import type { QueueBackend } from "./backend.ts";
import { Lane } from "./lane.ts";

/** A worker in states that no server can be brought into on demand. */
class FakeWorker extends EventEmitter {
  paused = false;
  closed = false;
  #end = (): void => undefined;
  waitUntilReady = async () => undefined;
  isRunning = () => !this.closed;
  isPaused = () => this.paused;
  disconnect = async () => undefined;
  run = () => new Promise<void>((resolve) => (this.#end = resolve));
  async pause() {
    this.paused = true;
  }
  async resume() {
    this.paused = false;
  }
  async close() {
    this.closed = true;
    this.#end();
  }
}

describe("a lane", () => {
  let workers: FakeWorker[];
  let waiting: number;
  let lane: Lane;

  beforeEach(async () => {
    vi.useFakeTimers();
    workers = [];
    waiting = 0;
    const backend: Partial<QueueBackend> = {
      worker: () => {
        const worker = new FakeWorker();
        workers.push(worker);
        return worker as unknown as Worker<Job>;
      },
      connections: async () => [],
    };
    const queue = { name: "files", getJobCounts: async () => ({ wait: waiting, prioritized: 0 }) };
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    lane = new Lane(backend as QueueBackend, queue as unknown as Queue<Job>, 1, async () => undefined, log);
    await lane.start();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await lane.stop(0);
  });

  it("replaces a worker that leaves jobs waiting, not one that has nothing to do", async () => {
    for (let i = 0; i < 10; i++) await lane.look();
    expect(workers).toHaveLength(1);
    waiting = 1;
    for (let i = 0; i < 3; i++) await lane.look();
    await vi.advanceTimersByTimeAsync(0);
    expect(workers).toHaveLength(2);
    expect(workers[0]?.closed).toBe(true);
    expect(lane.taking).toBe(true);
  });

  it("stops a worker for a second that only reports errors, and is not taking meanwhile", async () => {
    const [worker] = workers;
    for (let i = 0; i < 20; i++) worker?.emit("error", new Error("no such function"));
    expect(lane.taking).toBe(true);
    worker?.emit("error", new Error("no such function"));
    expect(worker?.paused).toBe(true);
    expect(lane.taking).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(worker?.paused).toBe(false);
    expect(lane.taking).toBe(true);
    expect(workers).toHaveLength(1);
  });

  it("replaces a worker whose first connect fails", async () => {
    await lane.stop(0);
    let failures = 2;
    const failing = class extends FakeWorker {
      override waitUntilReady = async () => {
        if (failures-- > 0) throw new Error("sorry, too many clients already");
        return undefined;
      };
    };
    const backend = {
      worker: () => {
        const worker = new failing();
        workers.push(worker);
        return worker;
      },
      connections: async () => [],
    };
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    lane = new Lane(backend as unknown as QueueBackend, { name: "files" } as Queue<Job>, 1, async () => undefined, log);
    const started = lane.start();
    await vi.advanceTimersByTimeAsync(1_000);
    await started;
    expect(workers.slice(1).map(({ closed }) => closed)).toEqual([true, true, false]);
    expect(lane.taking).toBe(true);
  });
});
