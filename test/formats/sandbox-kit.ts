import { isFault } from "@sluice/core/domain/fault";
import { DEFAULT_RULES, type FileOptions } from "@sluice/core/domain/options";
import { type ConvertIo, type ConvertOutcome, DEFAULT_LIMITS, type PartSink } from "@sluice/core/ports/converter";
import { type ChildPool, childPool } from "../../apps/worker/src/child-pool.ts";
import { cpuSeconds, memoryOf, resetPeak } from "../../bench/proc.ts";

/** What came of a conversion in a real sandbox: its outcome, or why the sandbox died. */
export interface Sandboxed {
  readonly outcome: ConvertOutcome | null;
  readonly death: string | null;
  readonly ms: number;
  /** CPU time of the sandbox; 0 where it died. */
  readonly cpuMs: number;
  /** How far the sandbox's and this process's memory grew beyond what they had before, at their highest; 0 where /proc does not tell. */
  readonly grownBytes: number;
}

/** One sandbox as a worker has it, started and warm. */
export async function openSandbox(more: { wallClockMs?: number } = {}): Promise<AsyncDisposable & { readonly pool: ChildPool }> {
  const log = { warn: () => undefined, error: console.error };
  const pool = childPool({ size: 1, log, clock: { now: () => Date.now() }, ...more });
  await pool.warm();
  return { pool, [Symbol.asyncDispose]: () => pool.close() };
}

/** A file that is made as it is read. */
export interface MadeFile {
  readonly length: number;
  subarray(from: number, to: number): Uint8Array;
}

/** Converts one file in the sandbox; parts and rejects are thrown away. Throws what is neither a content fault nor a death. */
export async function convertInSandbox(pool: ChildPool, name: string, bytes: MadeFile, options: FileOptions = {}): Promise<Sandboxed> {
  await pool.warm();
  const pids = [...pool.pids(), process.pid];
  const before = pids.map((pid) => {
    resetPeak(pid);
    return memoryOf(pid, "VmRSS");
  });
  const cpuBefore = cpuSeconds(pool.pids()).own;
  const started = performance.now();
  let outcome: ConvertOutcome | null = null;
  let death: string | null = null;
  let grownBytes = 0;
  // A child that dies takes its counters with it, so they are looked at while it runs too.
  const look = () => {
    const now = pids.reduce((sum, pid, i) => sum + Math.max(peakOf(pid) - (before[i] ?? 0), 0), 0);
    grownBytes = Math.max(grownBytes, now);
  };
  const watch = setInterval(look, 25);
  try {
    outcome = await pool.convert(requestOf(name, bytes, options), ioOf(bytes), new AbortController().signal);
  } catch (error) {
    if (!isFault(error) || error.code !== "child_died") throw error;
    death = error.message;
  } finally {
    clearInterval(watch);
  }
  const ms = performance.now() - started;
  look();
  const cpuMs = death === null ? (cpuSeconds(pool.pids()).own - cpuBefore) * 1_000 : 0;
  return { outcome, death, ms, cpuMs, grownBytes };
}

/** 0 for a process that is gone: what it used was seen before. */
function peakOf(pid: number): number {
  try {
    return memoryOf(pid, "VmHWM");
  } catch {
    return 0;
  }
}

function requestOf(name: string, bytes: MadeFile, options: FileOptions) {
  return {
    name,
    bytes: bytes.length,
    options,
    rules: DEFAULT_RULES,
    schemas: {},
    mode: "load" as const,
    file: "0197c0de-0000-7000-8000-000000000001",
    loadedAtMs: Date.UTC(2026, 0, 2),
    limits: DEFAULT_LIMITS,
  };
}

function ioOf(bytes: MadeFile): ConvertIo {
  return {
    read: async (offset, length) => bytes.subarray(offset, offset + length),
    openPart: async () => discard(),
    openRejects: async () => discard(),
    progress: () => {},
  };
}

function discard(): PartSink {
  let size = 0;
  return {
    write: async (bytes) => {
      size += bytes.length;
    },
    close: async () => ({ bytes: size, sha256: "" }),
    abort: async () => {},
  };
}
