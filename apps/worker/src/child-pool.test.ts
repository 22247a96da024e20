import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Fault } from "@sluice/core/domain/fault";
import { DEFAULT_RULES } from "@sluice/core/domain/options";
import { type ConvertIo, type ConvertRequest, DEFAULT_LIMITS, type PartSink } from "@sluice/core/ports/converter";
import { type ChildPool, type ChildPoolOptions, childPool } from "./child-pool.ts";

const MIB = 2 ** 20;
const STUB = new URL("child-pool.stub.ts", import.meta.url).href;
const never = new AbortController().signal;
let pool: ChildPool;

function open(options: Partial<ChildPoolOptions> = {}): ChildPool {
  const log = { warn: () => undefined, error: () => undefined };
  pool = childPool({ size: 1, entry: STUB, log, clock: Date, ...options });
  return pool;
}

afterEach(() => pool.close());

function request(act: string, bytes = 10_000): ConvertRequest {
  const who = { file: "0190d3e8-0000-7000-8000-000000000001", loadedAtMs: 0 };
  return { name: act, bytes, options: {}, rules: DEFAULT_RULES, schemas: {}, mode: "load", ...who, limits: DEFAULT_LIMITS };
}

const pattern = (offset: number, length: number) => Uint8Array.from({ length }, (_, i) => (offset + i) % 251);

function ioOf(parts: Partial<ConvertIo> = {}, bytes = 10_000): ConvertIo {
  return {
    read: async (offset, length) => pattern(offset, Math.max(0, Math.min(length, bytes - offset))),
    openPart: async () => sinkOf(),
    openRejects: async () => sinkOf(),
    progress: () => undefined,
    ...parts,
  };
}

function sinkOf(write: (bytes: Uint8Array) => Promise<void> = async () => undefined): PartSink & { got: Buffer[]; aborted: boolean } {
  const got: Buffer[] = [];
  return {
    got,
    aborted: false,
    async abort() {
      this.aborted = true;
    },
    async write(bytes) {
      got.push(Buffer.from(bytes));
      await write(bytes);
    },
    close: async () => ({ bytes: got.reduce((sum, chunk) => sum + chunk.length, 0), sha256: "abc" }),
  };
}

async function run(act: string, io: ConvertIo = ioOf(), signal: AbortSignal = never, bytes?: number): Promise<unknown> {
  const outcome = await pool.convert(request(act, bytes), io, signal);
  return outcome.kind === "opaque" ? JSON.parse(outcome.contentType) : outcome;
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error,
  );

describe("a job", () => {
  it("gets its bytes and its sinks through the pipe, unchanged", async () => {
    open();
    const tables: string[] = [];
    const sink = sinkOf();
    const progress: number[][] = [];
    const openPart = async (table: string) => (tables.push(table), sink);
    const result = await run("copy", ioOf({ openPart, progress: (...at) => progress.push(at) }));
    expect(result).toEqual({ bytes: 10_000, sha256: "abc" });
    expect(Buffer.concat(sink.got)).toEqual(Buffer.from(pattern(0, 10_000)));
    expect(tables).toEqual(["main"]);
    expect(progress).toEqual([[1, 10_000]]);
    expect(await run("rejects")).toEqual({ bytes: 3, sha256: "abc" });
  });

  it("may drop a part, written half or closed, and write another", async () => {
    open();
    const sinks = [sinkOf(), sinkOf(), sinkOf()];
    let opened = 0;
    const openPart = async () => sinks[opened++] ?? sinkOf();
    expect(await run("dropTwo", ioOf({ openPart }))).toEqual({ after: "a write to an aborted part", kept: { bytes: 3, sha256: "abc" } });
    expect(sinks.map((sink) => [sink.aborted, Buffer.concat(sink.got).toString()])).toEqual([
      [true, "one"],
      [true, "two"],
      [false, "abc"],
    ]);
  });

  it("may read more at once than a frame holds, and past the end of the file", async () => {
    open();
    const bytes = 9 * MIB + 17;
    let sum = 0;
    for (let i = 0; i < bytes; i++) sum = (sum + (i % 251)) % 65_536;
    expect(await run("readWhole", ioOf({}, bytes), never, bytes)).toEqual({ length: bytes, sum });
  });

  it("of 200, on two children, all are done, each once", async () => {
    open({ size: 2 });
    let reads = 0;
    const io = ioOf({ read: async (offset, length) => (reads++, pattern(offset, length)) });
    const results = await Promise.all(Array.from({ length: 200 }, () => run("copy", io)));
    expect(results).toHaveLength(200);
    expect(reads).toBe(200);
    expect(pool.pids()).toHaveLength(2);
  });

  it("that throws a fault rejects with that fault; one that throws a bug, with the bug", async () => {
    open();
    expect(await failure(run("fault"))).toMatchObject({ code: "unreadable", detail: { field: "line", value: 3 } });
    expect(await failure(run("bug"))).toMatchObject({ message: "TypeError: cannot read properties of undefined" });
  });

  it("whose io fails rejects with that very error", async () => {
    open();
    const error = new Fault("store_unavailable", "the store is away");
    const refuse = () => Promise.reject(error);
    expect(await failure(run("copy", ioOf({ read: refuse })))).toBe(error);
    expect(await failure(run("copy", ioOf({ openPart: refuse })))).toBe(error);
    const thrower = () => {
      throw error;
    };
    expect(await failure(run("wait", ioOf({ progress: thrower })))).toBe(error);
    expect(await failure(run("copy", ioOf({ openPart: async () => ({ ...sinkOf(), close: refuse }) })))).toBe(error);
    expect(await failure(run("gush", ioOf({ openPart: async () => sinkOf(refuse) }), never, 64 * MIB))).toBe(error);
    expect(await failure(run("dropTwo", ioOf({ openPart: async () => ({ ...sinkOf(), abort: refuse }) })))).toBe(error);
    expect(await run("copy")).toMatchObject({ bytes: 10_000 });
  });
});

describe("a child that dies", () => {
  it.each([
    ["exit", {}, "the file's sandbox exited with code 7"],
    ["exitAtOnce", {}, "the file's sandbox exited with code 7"],
    ["kill", {}, "the file's sandbox was killed by SIGKILL"],
    ["trap", {}, "the file's sandbox trapped: unreachable"],
    ["heap", { heapBytes: 48 * MIB }, `the file's sandbox exceeded its heap limit of ${48 * MIB} bytes`],
    ["buffers", { rssBytes: 300 * MIB }, `the file's sandbox exceeded its memory limit of ${300 * MIB} bytes`],
    ["spin", { wallClockMs: 300 }, "the file's sandbox ran longer than 300 ms"],
  ])("by %s fails its job alone, with the cause in words", async (act, options, message) => {
    open({ size: 2, ...options });
    const stop = new AbortController();
    const other = run(act === "spin" ? "copy" : "wait", ioOf(), stop.signal);
    const error = await failure(run(act));
    stop.abort(new Error("the other was still running"));
    expect(error).toMatchObject({ code: "child_died", message });
    if (act === "spin") expect(await other).toMatchObject({ bytes: 10_000 });
    else expect(await failure(other)).toMatchObject({ message: "the other was still running" });
    expect(await run("copy")).toMatchObject({ bytes: 10_000 });
  });

  it("while idle costs no job", async () => {
    open();
    await pool.warm();
    for (const pid of pool.pids()) process.kill(pid, "SIGKILL");
    expect(await run("copy")).toMatchObject({ bytes: 10_000 });
  });

  it("before it was ready makes the waiting job fail as ours, not the file's", async () => {
    open({ entry: new URL("no-such-module.ts", import.meta.url).href });
    expect(await failure(run("copy"))).toMatchObject({ code: "internal" });
    await expect(pool.warm()).rejects.toThrow("no-such-module.ts");
  });
});

describe("a signal to the whole group", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("(%s) leaves the running job to its worker", async (signal) => {
    open();
    await pool.warm();
    const read = async (offset: number, length: number) => {
      for (const pid of pool.pids()) process.kill(pid, signal);
      return pattern(offset, length);
    };
    const before = pool.pids();
    expect(await run("copy", ioOf({ read }))).toMatchObject({ bytes: 10_000 });
    expect(pool.pids()).toEqual(before);
  });
});

describe("an abort", () => {
  it("of a job that listens rejects with the signal's reason", async () => {
    open();
    const controller = new AbortController();
    const reason = new Error("cancelled by its owner");
    const io = ioOf({ progress: () => controller.abort(reason) });
    expect(await failure(run("wait", io, controller.signal))).toBe(reason);
  });

  it("of a job that loops kills the child after half a second", async () => {
    open();
    await pool.warm();
    const [pid = 0] = pool.pids();
    const controller = new AbortController();
    const reason = new Error("stop");
    let abortedAt = 0;
    const io = ioOf({
      progress() {
        abortedAt = performance.now();
        controller.abort(reason);
      },
    });
    expect(await failure(run("spin", io, controller.signal))).toBe(reason);
    expect(performance.now() - abortedAt).toBeLessThan(800);
    expect(alive(pid)).toBe(false);
  });

  it("of a job that waits for a child takes it out of the line", async () => {
    open();
    const first = new AbortController();
    const second = new AbortController();
    const running = run("wait", ioOf(), first.signal);
    const waiting = run("wait", ioOf(), second.signal);
    const third = run("copy");
    second.abort(new Error("no more"));
    expect(await failure(waiting)).toMatchObject({ message: "no more" });
    first.abort(new Error("enough"));
    expect(await failure(running)).toMatchObject({ message: "enough" });
    expect(await third).toMatchObject({ bytes: 10_000 });
  });
});

describe("the sandbox", () => {
  it("has an empty environment", async () => {
    open();
    expect(await run("environment")).toEqual({});
  });

  it("writes no file, reads nothing but code, starts nothing, reaches nothing", async () => {
    open();
    const denied = await run("forbidden");
    expect(new Set(Object.values(denied as object))).toEqual(new Set(["ERR_ACCESS_DENIED"]));
    expect(existsSync("/tmp/sluice-sandbox-was-here")).toBe(false);
  });

  it("cannot make the worker's memory grow by writing faster than the store takes", async () => {
    open();
    await run("gush", ioOf(), never, 8 * MIB); // code and buffers that any job needs
    const before = process.memoryUsage().rss;
    let peak = before;
    let taken = 0;
    const slow: PartSink = {
      async write(bytes) {
        taken += bytes.byteLength;
        peak = Math.max(peak, process.memoryUsage().rss);
        await new Promise((resolve) => setTimeout(resolve, 2));
      },
      close: async () => ({ bytes: taken, sha256: "abc" }),
      abort: async () => undefined,
    };
    expect(await run("gush", ioOf({ openPart: async () => slow }), never, 64 * MIB)).toMatchObject({ bytes: 64 * MIB });
    expect((peak - before) / MIB).toBeLessThan(30);
  });

  it("is replaced after its number of jobs, and when it stays large", async () => {
    open({ recycleAfterJobs: 2, recycleRssBytes: 200 * MIB });
    await pool.warm();
    const [first = 0] = pool.pids();
    await run("copy");
    await run("copy");
    await run("copy");
    const [second = 0] = pool.pids();
    expect(second).not.toBe(first);
    expect(await run("grow")).toBe(150 * MIB);
    await run("copy");
    expect(pool.pids()).not.toContain(second);
  });
});

describe("the end of the worker", () => {
  it("by kill -9 ends the children, even one that loops", async () => {
    open({ size: 0 });
    const code = `
      import { childPool } from ${JSON.stringify(new URL("child-pool.ts", import.meta.url).href)};
      const pool = childPool({ size: 2, entry: ${JSON.stringify(STUB)}, log: console, clock: Date });
      await pool.warm();
      const io = { read: async () => new Uint8Array(1), progress: () => console.log(JSON.stringify(pool.pids())) };
      await pool.convert({ name: "spin", bytes: 1 }, io, new AbortController().signal);`;
    const worker = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface({ input: worker.stdout }), "line")) as [string];
    const pids = JSON.parse(line) as number[];
    expect(pids.map(alive)).toEqual([true, true]);
    worker.kill("SIGKILL");
    await vi.waitFor(() => expect(pids.map(alive)).toEqual([false, false]), { timeout: 3_000, interval: 20 });
  });
});

/** Whether a process runs; one that is dead and not yet reaped does not. */
function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
