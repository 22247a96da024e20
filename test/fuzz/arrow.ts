import { isUtf8 } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { randomOf } from "../../bench/csv.ts";
import { isFault } from "../../packages/core/src/domain/fault.ts";
import type { SourceBatch } from "../../packages/core/src/formats/format.ts";
import type { SourceColumn } from "../../packages/core/src/schema/enforce.ts";
import { openArrowBytes } from "../formats/scores/arrow.ts";
import { valuesOf } from "../formats/scores/column-values.ts";
import type { FuzzOutcome } from "./targets.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/arrow");
const SLOW_MS = 10_000;

/** Reads `rounds` damaged copies of each fixture, to the last value. */
export async function fuzz(seed: number, rounds: number): Promise<FuzzOutcome> {
  const random = randomOf(seed);
  const names = readdirSync(FOLDER).filter((name) => /\.(arrow|arrows|feather)$/.test(name));
  const wrong: string[] = [];
  let [read, refused] = [0, 0];
  for (const name of names.sort()) {
    const bytes = readFileSync(join(FOLDER, name));
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      // Every other one under a limit by which its batches are too large to be held.
      const outcome = await outcomeOf(damage(bytes, random), round % 2 === 0 ? {} : { heldBytes: 9_000 });
      if (outcome === "read") read++;
      else if (outcome === "refused") refused++;
      else wrong.push(`${name} of seed ${seed}, round ${round}: ${outcome}`);
      if (performance.now() - started > SLOW_MS) wrong.push(`${name} of seed ${seed}, round ${round} was slow`);
    }
  }
  return { read, refused, wrong };
}

async function outcomeOf(bytes: Uint8Array, limits: { heldBytes?: number }): Promise<string> {
  try {
    const table = (await openArrowBytes(bytes, limits)).tables[0];
    for await (const batch of table?.batches() ?? []) {
      const flaw = flawOf(batch, table?.columns ?? []);
      if (flaw !== null) return flaw;
    }
    return "read";
  } catch (error) {
    if (isFault(error) && error.blame === "content") return "refused";
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** What a batch that was accepted must not have. */
function flawOf(batch: SourceBatch, columns: readonly SourceColumn[]): string | null {
  for (const [i, cells] of batch.columns.entries()) {
    if (!("data" in cells)) return "a column without a type";
    const { data } = cells;
    if (data.rows !== batch.rows) return `a column of ${data.rows} rows in a batch of ${batch.rows}`;
    if (data.form === "bytes" && (data.offsets[data.rows] ?? 0) > data.values.length) return "a text beyond its bytes";
    const type = columns[i]?.type ?? null;
    // Bytes of null rows are nobody's: what has a value must be text.
    if (data.form === "bytes" && type?.kind === "text" && data.nulls === 0 && !isUtf8(data.values)) return "a text that is no UTF-8";
    if (valuesOf(data, type).length !== data.rows) return "a column whose values cannot be told";
  }
  return null;
}

const NUMBERS = [0, 1, -1, 2, 7, 8, 64, 255, 256, 65_535, 2 ** 31 - 1, -(2 ** 31), 1_000_000];

/** One to four kinds of damage, most of them where whole numbers of 32 bits stand. */
export function damage(bytes: Uint8Array, random: () => number): Uint8Array {
  let damaged = Buffer.from(bytes);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let n = 1 + below(4); n > 0 && damaged.length > 16; n--) {
    const near = random() < 0.4 ? damaged.length - 16 - below(Math.min(damaged.length - 16, 1_000)) : below(damaged.length - 8);
    const at = Math.max(near, 0);
    const length = 1 + below(random() < 0.8 ? 8 : 200);
    switch (below(8)) {
      case 0:
        damaged[at] = (damaged[at] ?? 0) ^ (1 << below(8));
        break;
      case 1:
      case 2:
        damaged.writeInt32LE(NUMBERS[below(NUMBERS.length)] ?? 0, at - (at % 4));
        break;
      case 3:
        damaged.writeInt32LE((damaged.readInt32LE(at - (at % 4)) + below(9) - 4) | 0, at - (at % 4));
        break;
      case 4:
        damaged.fill(below(256), at, Math.min(at + length, damaged.length));
        break;
      case 5:
        damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(at + length)]);
        break;
      case 6:
        damaged = Buffer.concat([damaged.subarray(0, at), Buffer.alloc(length, below(256)), damaged.subarray(at)]);
        break;
      default:
        damaged.copy(damaged, at, below(damaged.length), below(damaged.length) + length);
    }
  }
  return damaged;
}
