import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_RULES } from "@sluice/core/domain/options";
import { type ConvertIo, DEFAULT_LIMITS, type PartSink } from "@sluice/core/ports/converter";
import { type ChildPool, childPool } from "../../apps/worker/src/child-pool.ts";
import { undoing } from "../cleanup.ts";
import { writeData } from "../convert/data.ts";
import { csvOf } from "../csv.ts";
import { memoryOf, resetPeak } from "../proc.ts";
import type { Bench, Group, Row } from "../row.ts";
import { median, quantile } from "../stats.ts";
import { dataFolder } from "./conversion.ts";

const MB = 1e6;
const SMALL_BYTES = 10_000;
const SMALL_FILES = 300;

const PEAK: Row = { name: "peak RSS of a sandbox converting a 125 MB csv", unit: "MB", must: 300, aim: 150, better: "less" };
const PEAK_LARGE: Row = { name: "peak RSS of a sandbox converting a 5 GB csv", unit: "MB", must: 300, aim: 150, better: "less" };
const GROWTH: Row = { name: "peak RSS of a sandbox, 5 GB csv vs 125 MB", unit: "MB", must: 1.1, aim: 1, better: "less" };
const SMALL: Row = { name: "conversion of a 10 KB csv in a warm sandbox, p50", unit: "ms", must: 10, aim: 3, better: "less" };
const SMALL_P99: Row = { name: "conversion of a 10 KB csv in a warm sandbox, p99", unit: "ms", must: null, aim: null, better: "less" };

const quiet = { warn: () => undefined, error: console.error };
const clock = { now: () => Date.now() };

/** Conversions as a worker runs them: in the sandbox, bytes and parts over its pipe. */
export const sandbox: readonly Group[] = [
  {
    title: "Conversion in the sandbox: memory",
    rows: [PEAK, PEAK_LARGE, GROWTH],
    run: async (bench) => {
      await using folder = dataFolder();
      const input = join(folder.path, "taxi.csv");
      const base = bench.quick ? 10 * MB : 125 * MB;
      writeData("taxi", input, base);
      const bytes = readFileSync(input);
      const one = await peakOf(bench, bytes, bytes.length);
      const large = await peakOf(bench, bytes, bench.quick ? base * 4 : 5_000 * MB);
      bench.measured(PEAK, { ours: one / MB, peer: null });
      bench.measured(PEAK_LARGE, { ours: large / MB, peer: null });
      bench.measured(GROWTH, { ours: large / MB, peer: one / MB });
    },
  },
  {
    title: "Conversion in the sandbox: small files",
    rows: [SMALL, SMALL_P99],
    run: async (bench) => {
      await using pool = await openPool();
      const times: number[] = [];
      const files = Array.from({ length: 20 }, (_, i) => csvOf(i + 1, SMALL_BYTES));
      const rounds = bench.quick ? 30 : SMALL_FILES;
      for (let i = -50; i < rounds; i++) {
        const started = performance.now();
        const file = files[(i + 50) % files.length] ?? Buffer.alloc(0);
        await convertIn(pool.pool, "orders.csv", file, file.length);
        if (i >= 0) times.push(performance.now() - started);
      }
      bench.measured(SMALL, { ours: median(times), peer: null });
      bench.measured(SMALL_P99, { ours: quantile(times, 0.99), peer: null });
    },
  },
];

async function openPool(): Promise<AsyncDisposable & { readonly pool: ChildPool }> {
  const pool = childPool({ size: 1, log: quiet, clock });
  const undo = undoing(() => pool.close());
  await pool.warm();
  return { pool, [Symbol.asyncDispose]: () => undo[Symbol.asyncDispose]() };
}

/** Peak of a fresh child over a csv of `size` bytes: the rows of `bytes` again and again beneath its header. */
async function peakOf(bench: Bench, bytes: Buffer, size: number): Promise<number> {
  await using opened = await openPool();
  const pid = opened.pool.pids()[0] ?? 0;
  resetPeak(pid);
  const started = performance.now();
  await convertIn(opened.pool, "taxi.csv", bytes, size);
  const seconds = (performance.now() - started) / 1_000;
  const peak = memoryOf(pid, "VmHWM");
  bench.say(
    `${(size / MB).toFixed(0)} MB in ${seconds.toFixed(1)} s (${(size / MB / seconds).toFixed(0)} MB/s), peak RSS ${(peak / MB).toFixed(0)} MB`,
  );
  return peak;
}

async function convertIn(pool: ChildPool, name: string, bytes: Buffer, size: number): Promise<void> {
  const body = bytes.indexOf(10) + 1;
  const rows = bytes.length - body;
  // Whole repetitions only, so that the last row is one.
  const total = size <= bytes.length ? bytes.length : body + Math.floor((size - body) / rows) * rows;
  const io: ConvertIo = {
    read: async (offset, length) => {
      const at = offset < bytes.length ? offset : body + ((offset - body) % rows);
      return bytes.subarray(at, Math.min(at + length, bytes.length, at + total - offset));
    },
    openPart: async () => discard(),
    openRejects: async () => discard(),
    progress: () => {},
  };
  const request = {
    name,
    bytes: total,
    options: {},
    rules: DEFAULT_RULES,
    schemas: {},
    mode: "load" as const,
    file: "0197c0de-0000-7000-8000-000000000001",
    loadedAtMs: Date.UTC(2026, 0, 2),
    limits: DEFAULT_LIMITS,
  };
  const outcome = await pool.convert(request, io, new AbortController().signal);
  if (outcome.kind !== "tables") throw new Error(JSON.stringify(outcome));
}

function discard(): PartSink {
  let bytes = 0;
  return {
    write: async (chunk) => {
      bytes += chunk.length;
    },
    close: async () => ({ bytes, sha256: "" }),
    abort: async () => undefined,
  };
}
