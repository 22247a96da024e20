import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFault } from "../../packages/core/src/domain/fault.ts";
import { convertBytes } from "../formats/convert-kit.ts";
import { bits, chunk, IN, KIND, literalBytes, literals, orcBytes, type TypePart, varint } from "../formats/orc-builder.ts";
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

/** One case in so many goes all the way to Parquet. */
const WHOLE = 6;

/** Reads `rounds` damaged copies of each fixture and of some files made by hand. The same seed makes the same cases. */
export async function fuzz(seed: number, rounds: number): Promise<FuzzReport> {
  const random = mulberry32(seed);
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".orc") && !name.includes("wide"));
  const files = names.sort().map((name) => ({ name, bytes: readFileSync(join(FOLDER, name)) as Uint8Array }));
  const report = { cases: 0, read: 0, refused: 0, wrong: [] as string[], slowestMs: 0, grownBytes: 0 };
  const before = process.memoryUsage.rss();
  for (const { name, bytes } of [...files, ...made()]) {
    for (let round = 0; round < rounds; round++) {
      const label = `${name} of seed ${seed}, round ${round}`;
      const started = performance.now();
      const damaged = damage(bytes, random);
      const outcome = await (random() < 1 / WHOLE ? converted(damaged) : outcomeOf(damaged));
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

async function converted(bytes: Uint8Array): Promise<string> {
  const { outcome } = await convertBytes("x.orc", bytes, { limits: LIMITS, options: { format: "orc" } });
  return outcome.kind === "failed" ? "refused" : "read";
}

/** What no writer at hand makes: LZO, unions, decimals of Hive 0.11, and the Julian days and clock of another zone. */
function made(): { name: string; bytes: Uint8Array }[] {
  const leaf = (kind: number, more: Partial<TypePart> = {}): TypePart => ({ kind, ...more });
  const numbers = literals(Array.from({ length: 60 }, (_, i) => i * i));
  const lzo = [17 + numbers.length, ...numbers, ...Array.from({ length: 10 }, () => [32 | 30, 2 << 2, 0]).flat(), 0x11, 0, 0];
  const row = { kind: KIND.struct, subtypes: [1], names: ["c"] };
  return [
    {
      name: "lzo",
      bytes: orcBytes({
        types: [row, leaf(KIND.bigint)],
        stripes: [{ rows: 160, streams: [{ column: 1, kind: IN.data, bytes: chunk(lzo) }], encodings: [[0], [0]] }],
        compression: 3,
      }),
    },
    {
      name: "union",
      bytes: orcBytes({
        types: [row, leaf(KIND.union, { subtypes: [2, 3] }), leaf(KIND.timestamp), leaf(KIND.decimal)],
        stripes: [
          {
            rows: 4,
            streams: [
              { column: 1, kind: IN.present, bytes: bits([true, false, true, true]) },
              { column: 1, kind: IN.data, bytes: literalBytes([1, 0, 1]) },
              { column: 2, kind: IN.data, bytes: literals([-20_000_000_000]) },
              { column: 2, kind: IN.secondary, bytes: literals([8], false) },
              { column: 3, kind: IN.data, bytes: [...varint(77), ...varint(2n ** 90n)] },
              { column: 3, kind: IN.secondary, bytes: literals([2, 9]) },
            ],
            encodings: [[0], [0], [0], [0]],
            timezone: "Europe/Prague",
          },
        ],
        calendar: 1,
      }),
    },
  ];
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
