import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { undoing } from "../cleanup.ts";
import { type DataName, writeData } from "../convert/data.ts";
import { type Runner, startRunner } from "../convert/runner.ts";
import type { Ran } from "../convert/work.ts";
import type { Bench, Group, Row } from "../row.ts";
import { median, spread } from "../stats.ts";

const MB = 1e6;
const ROUNDS = 7;
const OURS = "convert/ours.ts";

interface Case {
  readonly data: Exclude<DataName, "small">;
  readonly bytes: number;
  readonly speed: Row;
  readonly cpu: Row;
  readonly size: Row;
}

function caseOf(data: Case["data"], label: string, bytes: number, must: number | null, aim: number | null): Case {
  const peer = "DuckDB with 1 thread, one core, warm";
  return {
    data,
    bytes,
    speed: { name: `${label} -> Parquet zstd vs ${peer}`, unit: "MB/s", must, aim, better: "more" },
    cpu: { name: `${label} -> Parquet zstd vs ${peer}: by CPU-seconds`, unit: "MB/CPU-s", must: null, aim: null, better: "more" },
    size: {
      name: `${label}: size of the Parquet vs DuckDB's`,
      unit: "MB",
      must: data === "ndjson" ? null : 1.03,
      aim: 0.95,
      better: "less",
    },
  };
}

const CASES: readonly Case[] = [
  caseOf("taxi", "csv, taxi-like, 16 columns, 125 MB", 125 * MB, 1.3, 1.8),
  caseOf("wide", "csv, 200 short columns, 100 MB", 100 * MB, 1.5, 2.5),
  caseOf("text", "csv, long quoted text, 125 MB", 125 * MB, 1, 1.3),
  caseOf("sparse", "csv, 40 columns nine tenths empty, 60 MB", 60 * MB, null, null),
  caseOf("ndjson", "ndjson, taxi-like, 100 MB", 100 * MB, 0.7, 1.2),
];

const COMPOSED: Row = {
  name: "csv, taxi-like, 30 MB -> Parquet vs csv-parse -> Arrow -> parquet-wasm, one core",
  unit: "MB/s",
  must: 7,
  aim: 10,
  better: "more",
};
const TWO_CORES: Row = {
  name: "csv, taxi-like, 500 MB -> Parquet on both cores vs DuckDB with 2 threads",
  unit: "MB/s",
  must: 1.1,
  aim: 1.6,
  better: "more",
};

/** Conversions beside DuckDB's, each in a warm process pinned to equal cores, taking turns; medians. */
export const conversion: readonly Group[] = [
  {
    title: "Conversion, one core",
    rows: CASES.flatMap(({ speed, cpu, size }) => [speed, cpu, size]),
    run: async (bench) => {
      await using folder = dataFolder();
      for (const each of CASES) if ([each.speed, each.cpu, each.size].some(bench.wants)) await oneCase(bench, folder.path, each);
    },
  },
  {
    title: "Conversion, both cores",
    rows: [TWO_CORES],
    run: async (bench) => {
      await using folder = dataFolder();
      const input = join(folder.path, "big.csv");
      const { bytes } = writeData("taxi", input, bench.quick ? 20 * MB : 500 * MB);
      const work = { name: "big.csv", input, output: join(folder.path, "big.parquet") };
      const { ours, peer } = await takeTurns(bench, work, [OURS, "peers/duckdb.ts"], "0,1", ["2"], bench.quick ? 1 : 3);
      bench.measured(TWO_CORES, { ours: speedOf(bytes, ours), peer: speedOf(bytes, peer), note: timesOf(ours, peer) });
    },
  },
  {
    title: "Conversion, the packages put together the obvious way",
    rows: [COMPOSED],
    run: async (bench) => {
      await using folder = dataFolder();
      const input = join(folder.path, "taxi.csv");
      const { bytes } = writeData("taxi", input, bench.quick ? 5 * MB : 30 * MB);
      const work = { name: "taxi.csv", input, output: join(folder.path, "taxi.parquet") };
      const { ours, peer } = await takeTurns(bench, work, [OURS, "peers/csv-parse-parquet-wasm.ts"], "0", [], bench.quick ? 1 : 5);
      bench.measured(COMPOSED, { ours: speedOf(bytes, ours), peer: speedOf(bytes, peer), note: timesOf(ours, peer) });
    },
  },
];

/** A folder that goes with the group. */
export function dataFolder(): AsyncDisposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "sluice-bench-data-"));
  const undo = undoing(() => rmSync(path, { recursive: true, force: true }));
  return { path, [Symbol.asyncDispose]: () => undo[Symbol.asyncDispose]() };
}

async function oneCase(bench: Bench, folder: string, each: Case): Promise<void> {
  const name = each.data === "ndjson" ? "taxi.ndjson" : `${each.data}.csv`;
  const input = join(folder, name);
  const { bytes, rows } = writeData(each.data, input, bench.quick ? 5 * MB : each.bytes);
  const work = { name, input, output: join(folder, "out.parquet") };
  const { ours, peer } = await takeTurns(bench, work, [OURS, "peers/duckdb.ts"], "0", ["1"], bench.quick ? 1 : ROUNDS);
  for (const { rows: found } of [...ours, ...peer]) if (found !== rows) throw new Error(`${found} rows of ${rows} in ${name}`);
  bench.measured(each.speed, { ours: speedOf(bytes, ours), peer: speedOf(bytes, peer), note: timesOf(ours, peer) });
  bench.measured(each.cpu, { ours: cpuSpeedOf(bytes, ours), peer: cpuSpeedOf(bytes, peer) });
  bench.measured(each.size, { ours: median(ours.map((run) => run.bytes)) / MB, peer: median(peer.map((run) => run.bytes)) / MB });
  rmSync(input);
}

interface Turns {
  readonly ours: readonly Ran[];
  readonly peer: readonly Ran[];
}

/** The two take turns after a first run each that nobody counts. */
export async function takeTurns(
  bench: Bench,
  work: { readonly name: string; readonly input: string; readonly output: string },
  [own, other]: readonly [string, string],
  cores: string,
  peerArgs: readonly string[],
  rounds: number,
): Promise<Turns> {
  await using mine: Runner = startRunner(own, cores);
  await using theirs: Runner = startRunner(other, cores, peerArgs);
  const ours: Ran[] = [];
  const peer: Ran[] = [];
  let most = 0;
  for (let round = -1; round < rounds; round++) {
    const one = await mine.run(work);
    const two = await theirs.run(work);
    most = Math.max(most, one.peakRss);
    if (round < 0 && rounds > 1) continue;
    ours.push(one);
    peer.push(two);
  }
  bench.say(`${work.name} (${(statSync(work.input).size / MB).toFixed(0)} MB): our peak RSS ${(most / MB).toFixed(0)} MB`);
  return { ours, peer };
}

function speedOf(bytes: number, runs: readonly Ran[]): number {
  return bytes / 1_000 / median(runs.map((run) => run.ms));
}

function cpuSpeedOf(bytes: number, runs: readonly Ran[]): number {
  return bytes / 1_000 / median(runs.map((run) => run.cpuMs));
}

export function timesOf(ours: readonly Ran[], peer: readonly Ran[]): string {
  return `ms ${spread(ours.map((run) => run.ms))} vs ${spread(peer.map((run) => run.ms))}`;
}
