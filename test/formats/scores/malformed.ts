import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { convertInSandbox, openSandbox } from "../sandbox-kit.ts";

/** What malformed Arrow and Parquet files do to a sandbox. */
export interface MalformedScore {
  readonly files: number;
  readonly accepted: readonly string[];
  readonly deaths: readonly string[];
  /** Over ten seconds. */
  readonly hangs: readonly string[];
  readonly slowestMs: number;
}

const HANG_MS = 10_000;

/** Converts every file that fuzzers left in arrow-testing and parquet-testing (`corpora` holds both) in a real sandbox. */
export async function scoreMalformed(corpora: string): Promise<MalformedScore> {
  const files = [
    ...filesOf(join(corpora, "arrow-testing/data/arrow-ipc-stream"), ".arrow"),
    ...filesOf(join(corpora, "arrow-testing/data/arrow-ipc-file"), ".arrow"),
    ...filesOf(join(corpora, "arrow-testing/data/parquet/fuzzing"), ".parquet"),
    ...filesOf(join(corpora, "parquet-testing/bad_data"), ".parquet"),
  ];
  await using sandbox = await openSandbox({ wallClockMs: 60_000 });
  const accepted: string[] = [];
  const deaths: string[] = [];
  const hangs: string[] = [];
  let slowestMs = 0;
  for (const { path, name } of files) {
    const { outcome, death, ms } = await convertInSandbox(sandbox.pool, name, readFileSync(path));
    if (death !== null) deaths.push(`${path}: ${death}`);
    else if (outcome?.kind !== "failed") accepted.push(path);
    if (ms > HANG_MS) hangs.push(`${path}: ${Math.round(ms)} ms`);
    slowestMs = Math.max(slowestMs, ms);
  }
  return { files: files.length, accepted, deaths, hangs, slowestMs };
}

function filesOf(folder: string, extension: string): { path: string; name: string }[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(README|\.)/.test(entry.name))
    .map((entry) => ({ path: join(folder, entry.name), name: `${entry.name}${extension}` }));
}
