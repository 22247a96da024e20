import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFault } from "../../packages/core/src/domain/fault.ts";
import { openOrc } from "../formats/orc-kit.ts";

/** What became of a run: every case was read or refused by a fault of the content, or stands in `wrong`. */
export interface FuzzReport {
  readonly cases: number;
  readonly read: number;
  readonly refused: number;
  readonly wrong: readonly string[];
  readonly slowestMs: number;
  /** Growth of the process's memory beyond what it had, at its most. */
  readonly grownBytes: number;
}

const FOLDER = join(import.meta.dirname, "../fixtures/orc");
/** Small limits: a case that goes beyond them is refused as any other. */
const LIMITS = { decodedBytes: 256 * 2 ** 20 };
const SLOW_MS = 10_000;
const MAX_GROWTH = 1.5 * 2 ** 30;

/** Reads `rounds` damaged copies of each fixture. The same seed makes the same cases. */
export async function fuzz(seed: number, rounds: number): Promise<FuzzReport> {
  const random = mulberry32(seed);
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".orc") && !name.includes("wide"));
  const report = { cases: 0, read: 0, refused: 0, wrong: [] as string[], slowestMs: 0, grownBytes: 0 };
  const before = process.memoryUsage.rss();
  for (const name of names.sort()) {
    const bytes = readFileSync(join(FOLDER, name));
    for (let round = 0; round < rounds; round++) {
      const label = `${name} of seed ${seed}, round ${round}`;
      const started = performance.now();
      const outcome = await outcomeOf(damage(bytes, random));
      const tookMs = performance.now() - started;
      report.cases++;
      if (outcome === "read") report.read++;
      else if (outcome === "refused") report.refused++;
      else report.wrong.push(`${label}: ${outcome}`);
      if (tookMs > SLOW_MS) report.wrong.push(`${label} took ${Math.round(tookMs)} ms`);
      report.slowestMs = Math.max(report.slowestMs, tookMs);
      report.grownBytes = Math.max(report.grownBytes, process.memoryUsage.rss() - before);
    }
  }
  if (report.grownBytes > MAX_GROWTH) report.wrong.push(`memory grew by ${report.grownBytes} bytes`);
  return report;
}

async function outcomeOf(bytes: Uint8Array): Promise<string> {
  try {
    const table = await openOrc(bytes, LIMITS);
    let rows = 0;
    for await (const batch of table.batches()) {
      if (batch.columns.some((cells) => !("data" in cells) || cells.data.rows !== batch.rows)) return "a column of another length";
      rows += batch.rows;
    }
    return rows >= 0 ? "read" : "";
  } catch (error) {
    if (isFault(error) && error.blame === "content") return "refused";
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** One to four kinds of damage, half of them in the footers, where the lengths are. */
function damage(bytes: Uint8Array, random: () => number): Uint8Array {
  let damaged = Buffer.from(bytes);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let n = 1 + below(4); n > 0 && damaged.length > 4; n--) {
    const tail = Math.min(damaged.length, 400);
    const at = random() < 0.5 ? damaged.length - 1 - below(tail) : below(damaged.length);
    const length = 1 + below(random() < 0.8 ? 4 : 200);
    switch (below(7)) {
      case 0:
        damaged[at] = (damaged[at] ?? 0) ^ (1 << below(8));
        break;
      case 1:
        damaged[at] = [0, 1, 0x7f, 0x80, 0xff][below(5)] ?? 0;
        break;
      case 2:
        damaged.fill(below(256), at, Math.min(at + length, damaged.length));
        break;
      case 3:
        damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(at + length)]);
        break;
      case 4:
        damaged = Buffer.concat([damaged.subarray(0, at), Buffer.from(Array.from({ length }, () => below(256))), damaged.subarray(at)]);
        break;
      case 5:
        damaged.copy(damaged, at, below(damaged.length), below(damaged.length) + length);
        break;
      default:
        // A varint of the largest numbers, where a length may be.
        for (let i = 0; i < length && i < 9; i++) damaged[at + i] = 0xff;
    }
  }
  return damaged;
}

/** A small generator of 32 bits of state (Tommy Ettinger's mulberry32): numbers from 0 to below 1. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
