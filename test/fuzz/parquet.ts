import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { childPool } from "../../apps/worker/src/child-pool.ts";
import { randomOf } from "../../bench/csv.ts";
import { isFault } from "../../packages/core/src/domain/fault.ts";
import { parquetOf } from "../formats/parquet-kit.ts";
import { ioOf, requestOf } from "../formats/scores/fuzz.ts";
import { damage } from "./arrow.ts";
import type { FuzzOutcome } from "./targets.ts";

const FOLDER = join(import.meta.dirname, "../formats/parquet-fixtures");
const SLOW_MS = 10_000;
const NESTED = `select i, 'text ' || i s, case when i % 3 = 0 then null else i / 7 end d, [i, null, i + 1] l, {'a': i, 'b': [{'c': 'x' || i}]} st,
  map {'k' || i: i * 1.5} m, (i / 100)::decimal(9,2) n, timestamp '2024-01-01' + i * interval 1 hour ts from range(300) r(i)`;

/**
 * Converts `rounds` damaged copies of each sample in a sandbox, as the worker does: parquet-wasm traps on some, and a trap must
 * be the file's fault, never the end of its child.
 */
export async function fuzz(seed: number, rounds: number): Promise<FuzzOutcome> {
  const random = randomOf(seed);
  const samples = await allSamples();
  const wrong: string[] = [];
  let [read, refused] = [0, 0];
  const pool = childPool({ size: 1, wallClockMs: 3 * SLOW_MS, log: { warn: () => {}, error: () => {} }, clock: Date });
  try {
    for (const [name, bytes] of samples) {
      for (let round = 0; round < rounds; round++) {
        const label = `${name} of seed ${seed}, round ${round}`;
        const damaged = damage(bytes, random);
        const started = performance.now();
        try {
          const { kind } = await pool.convert(requestOf("a.parquet", damaged), ioOf(damaged), new AbortController().signal);
          if (kind === "failed") refused++;
          else read++;
        } catch (error) {
          wrong.push(`${label}: ${isFault(error) ? error.message : error instanceof Error ? error.stack : String(error)}`);
        }
        if (performance.now() - started > SLOW_MS) wrong.push(`${label} was slow`);
      }
    }
  } finally {
    await pool.close();
  }
  return { read, refused, wrong };
}

let made: Promise<Uint8Array> | null = null;

async function allSamples(): Promise<[string, Uint8Array][]> {
  made ??= parquetOf(NESTED);
  const fixtures = readdirSync(FOLDER).filter((name) => name.endsWith(".parquet"));
  return [["nested", await made], ...fixtures.sort().map((name): [string, Uint8Array] => [name, readFileSync(join(FOLDER, name))])];
}
