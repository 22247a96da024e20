import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { childPool } from "../../../apps/worker/src/child-pool.ts";
import { isFault } from "../../../packages/core/src/domain/fault.ts";
import { DEFAULT_RULES } from "../../../packages/core/src/domain/options.ts";
import { type ConvertIo, DEFAULT_LIMITS, type PartSink } from "../../../packages/core/src/ports/converter.ts";

/** What became of malformed files in the sandbox they are converted in. */
export interface FuzzScore {
  readonly files: number;
  readonly accepted: readonly string[];
  /** Files that ended their child: its death would be a strike. */
  readonly deaths: readonly string[];
  /** Files that took more than 10 s. */
  readonly slow: readonly string[];
  /** Codes of the faults, and how many files each refused. */
  readonly refused: Readonly<Record<string, number>>;
}

const SLOW_MS = 10_000;

/** Converts the malformed Arrow and Parquet files of arrow-testing, and the bad ones of parquet-testing. */
export async function scoreFuzz(corpora: string): Promise<FuzzScore> {
  const pool = childPool({ size: 1, wallClockMs: 3 * SLOW_MS, log: { warn: () => {}, error: () => {} }, clock: Date });
  const [accepted, deaths, slow]: [string[], string[], string[]] = [[], [], []];
  const refused: Record<string, number> = {};
  const files = malformed(corpora);
  try {
    await pool.warm();
    for (const { path, as } of files) {
      const bytes = readFileSync(path);
      const started = performance.now();
      const ended = await pool.convert(requestOf(as, bytes), ioOf(bytes), new AbortController().signal).catch((error: unknown) => {
        if (!isFault(error)) throw error;
        deaths.push(`${path}: ${error.message}`);
        return null;
      });
      if (performance.now() - started > SLOW_MS) slow.push(path);
      if (ended?.kind === "failed") refused[ended.fault.code] = (refused[ended.fault.code] ?? 0) + 1;
      else if (ended) accepted.push(path);
    }
  } finally {
    await pool.close();
  }
  return { files: files.length, accepted, deaths, slow, refused };
}

function malformed(corpora: string): { path: string; as: string }[] {
  const under = (folder: string, as: string) =>
    readdirSync(join(corpora, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "README.md")
      .map(({ name }) => ({ path: join(corpora, folder, name), as }));
  return [
    ...under("arrow-testing/data/arrow-ipc-file", "a.arrow"),
    ...under("arrow-testing/data/arrow-ipc-stream", "a.arrow"),
    ...under("arrow-testing/data/parquet/fuzzing", "a.parquet"),
    ...under("parquet-testing/bad_data", "a.parquet"),
  ];
}

/** A conversion of bytes under the usual rules and limits. */
export function requestOf(name: string, bytes: Uint8Array) {
  return {
    name,
    bytes: bytes.length,
    options: {},
    rules: DEFAULT_RULES,
    schemas: {},
    mode: "load",
    file: "0197c0de-0000-7000-8000-000000000001",
    loadedAtMs: 0,
    limits: DEFAULT_LIMITS,
  } as const;
}

/** Reads the bytes; what is written goes nowhere. */
export function ioOf(bytes: Uint8Array): ConvertIo {
  const sink: PartSink = { write: async () => {}, abort: async () => {}, close: async () => ({ bytes: 0, sha256: "" }) };
  return {
    read: async (offset, length) => bytes.slice(offset, offset + length),
    openPart: async () => sink,
    openRejects: async () => sink,
    progress: () => {},
  };
}
