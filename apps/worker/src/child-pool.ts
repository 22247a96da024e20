import type { Clock } from "@sluice/core/domain/ids";
import { Fault } from "@sluice/core/domain/fault";
import type { ConvertIo, ConvertOutcome, ConvertRequest, Converter } from "@sluice/core/ports/converter";
import { NeverBegun, SandboxChild } from "./child-process.ts";

const AGAIN_MS = 500;
/** Children that may be found dead in a row before the job counts as what kills them. */
const DEAD_ON_ARRIVAL = 2;

export interface ChildPoolOptions {
  /** Children, each with one job at a time. */
  readonly size: number;
  /** V8 heap of a child. */
  readonly heapBytes?: number;
  /** Resident memory of a child, wasm and buffers included; looked at every 100 ms while a job runs. */
  readonly rssBytes?: number;
  readonly wallClockMs?: number;
  readonly recycleAfterJobs?: number;
  /** A child that holds more than this after a job is replaced: wasm memory never shrinks. */
  readonly recycleRssBytes?: number;
  /** URL of the module whose `convert` the children run. */
  readonly entry?: string;
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void };
  readonly clock: Pick<Clock, "now">;
}

export interface ChildPool extends Converter {
  readonly size: number;
  /** Resolves when every child is ready for a job; rejects when one could not start. */
  warm(): Promise<void>;
  /** Kills the children; what runs or waits rejects. */
  close(): Promise<void>;
  pids(): number[];
}

interface Waiting {
  take(child: SandboxChild): void;
  refuse(error: unknown): void;
}

/**
 * A pool of sandboxed children, started before they are needed and replaced in the background when they die, threw, ran
 * `recycleAfterJobs` jobs or stay large. Jobs wait for a free child in the order of their calls, dry runs before all others.
 */
export function childPool(options: ChildPoolOptions): ChildPool {
  const {
    size,
    heapBytes = 512 * 2 ** 20,
    rssBytes = 2 ** 30,
    wallClockMs = 3_600_000,
    recycleAfterJobs = 5_000,
    recycleRssBytes = 400 * 2 ** 20,
    entry = import.meta.resolve("@sluice/core/flow/convert"),
    log,
    clock,
  } = options;
  const children = new Set<SandboxChild>();
  const free: SandboxChild[] = [];
  const waiting: Waiting[] = [];
  let startFailure: unknown;
  let closed = false;

  const start = () => {
    const child = new SandboxChild(entry, { heapBytes, rssBytes, wallClockMs });
    children.add(child);
    child.ready.then(
      () => give(child),
      (error: unknown) => {
        if (closed) return;
        startFailure = error;
        log.error({ err: error }, "a sandbox could not start");
        waiting.shift()?.refuse(new Fault("internal", "no sandbox could be started", { cause: error }));
      },
    );
    void child.gone.then((death) => onGone(child, death));
    return child;
  };

  const onGone = (child: SandboxChild, death: { why: string; stderr: string }) => {
    children.delete(child);
    const at = free.indexOf(child);
    if (at >= 0) free.splice(at, 1);
    if (closed) return;
    if (at >= 0) log.warn({ pid: child.pid, why: death.why, stderr: death.stderr }, "an idle sandbox died");
    // At once when it had been working, later when it never came up.
    if (child.jobs > 0 || at >= 0) start();
    else setTimeout(() => closed || start(), AGAIN_MS);
  };

  const give = (child: SandboxChild) => {
    if (closed || child.spent) return;
    const next = waiting.shift();
    if (next) next.take(child);
    else free.push(child);
  };

  const release = (child: SandboxChild) => {
    if (child.spent || child.jobs >= recycleAfterJobs || child.rss() > recycleRssBytes) child.kill();
    else give(child);
  };

  /** `first`: before every job that waits. */
  const obtain = (signal: AbortSignal, first: boolean): Promise<SandboxChild> => {
    const idle = free.pop();
    if (idle) return Promise.resolve(idle);
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        take: (child) => settle(() => resolve(child)),
        refuse: (error) => settle(() => reject(error)),
      };
      const settle = (act: () => void) => {
        signal.removeEventListener("abort", onAbort);
        act();
      };
      const onAbort = () => {
        waiting.splice(waiting.indexOf(entry), 1);
        entry.refuse(signal.reason);
      };
      signal.addEventListener("abort", onAbort);
      if (first) waiting.unshift(entry);
      else waiting.push(entry);
    });
  };

  for (let i = 0; i < size; i++) start();

  return {
    size,
    async convert(request: ConvertRequest, io: ConvertIo, signal: AbortSignal): Promise<ConvertOutcome> {
      for (let found = 0; ; found++) {
        signal.throwIfAborted();
        if (closed) throw new Error("the pool of sandboxes is closed");
        const child = await obtain(signal, request.mode === "inspect");
        const startedMs = clock.now();
        try {
          return await child.run(request, io, signal);
        } catch (error) {
          if (error instanceof NeverBegun && found < DEAD_ON_ARRIVAL) continue;
          const ms = clock.now() - startedMs;
          if (!signal.aborted)
            log.warn({ err: error, pid: child.pid, file: request.file, ms, stderr: child.stderr }, "a sandbox is replaced");
          throw error instanceof NeverBegun ? new Fault("child_died", `the file's sandbox ${error.message}`) : error;
        } finally {
          release(child);
        }
      }
    },
    async warm() {
      if (children.size < size) throw startFailure; // it died, and the next try is not due yet
      await Promise.all(Array.from(children, (child) => child.ready));
    },
    async close() {
      closed = true;
      for (const entry of waiting.splice(0)) entry.refuse(new Error("the pool of sandboxes is closed"));
      for (const child of children) child.kill("was stopped with its worker");
      await Promise.all(Array.from(children, (child) => child.gone));
    },
    pids: () => Array.from(children, (child) => child.pid ?? 0).filter((pid) => pid > 0),
  };
}
