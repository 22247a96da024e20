import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { isFault } from "../../../packages/core/src/domain/fault.ts";
import { parquet } from "../../../packages/core/src/formats/parquet.ts";
import { DEFAULT_LIMITS } from "../../../packages/core/src/domain/convert-limits.ts";
import { convertBytes, duck } from "../convert-kit.ts";
import { valuesOf } from "./column-values.ts";
import type { Value } from "./golden-json.ts";

const ALL_AS_TEXT = "select columns(*)::varchar from parts";

interface Read {
  readonly rows: number;
  readonly columns: readonly (readonly [string, string])[];
}

type Facts = Read | { readonly refused: string };

/** How many files have the rows and values that pyarrow read; the others by name, each with its reason. */
export interface ParquetScore {
  readonly files: number;
  readonly equal: number;
  /** Files that were read though pyarrow refuses them, and whose rows DuckDB reads alike. */
  readonly alone: readonly string[];
  /** Files made with a page that does not agree with its checksum, refused for it. pyarrow reads them. */
  readonly damaged: readonly string[];
  readonly refused: readonly string[];
  readonly wrong: readonly string[];
}

/** Reads every .parquet under the `data` folder of parquet-testing and compares it with `parquet-facts.json`. */
export async function scoreParquet(folder: string): Promise<ParquetScore> {
  const facts = JSON.parse(readFileSync(join(import.meta.dirname, "parquet-facts.json"), "utf8")) as Record<string, Facts>;
  const [alone, damaged, refused, wrong]: [string[], string[], string[], string[]] = [[], [], [], []];
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".parquet"))
    .sort();
  for (const name of names) {
    const expected = facts[name];
    const bytes = readFileSync(join(folder, name));
    const { outcome, parts } = await convertBytes(name, bytes);
    if (outcome.kind !== "tables") {
      const why = outcome.kind === "failed" ? outcome.fault.message : outcome.kind;
      if (name.includes("corrupt-checksum") && why.includes("checksum")) damaged.push(name);
      else refused.push(`${name}: ${why}`);
      continue;
    }
    if (!expected || "refused" in expected) {
      if (isDeepStrictEqual(await duck(parts, ALL_AS_TEXT), await duck([bytes], ALL_AS_TEXT))) alone.push(name);
      else wrong.push(`${name}: DuckDB reads it otherwise`);
      continue;
    }
    const difference = await compare(bytes, expected);
    if (difference !== null) wrong.push(`${name}: ${difference}`);
  }
  const equal = names.length - alone.length - damaged.length - refused.length - wrong.length;
  return { files: names.length, equal, alone, damaged, refused, wrong };
}

/** How many of the files under `bad_data` are refused; the others by name. */
export async function scoreBadParquet(folder: string): Promise<{ files: number; accepted: string[] }> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".parquet"));
  const accepted: string[] = [];
  for (const name of names) {
    const { outcome } = await convertBytes(name, readFileSync(join(folder, name)));
    if (outcome.kind !== "failed") accepted.push(name);
  }
  return { files: names.length, accepted };
}

async function compare(bytes: Uint8Array, expected: Read): Promise<string | null> {
  const { tables } = await parquet.open({
    name: "parquet",
    decoded: () => {
      throw new Error("Parquet is read out of order");
    },
    random: async () => ({ size: bytes.length, read: async (from: number, to: number) => bytes.slice(from, to) }),
    rawSize: bytes.length,
    options: {},
    limits: { ...DEFAULT_LIMITS, chunkBytes: 512 * 1024 },
    ragged: "misfit",
  });
  const table = tables[0];
  if (!table) return "no table";
  const hashes = table.columns.map(() => createHash("sha256"));
  let rows = 0;
  try {
    for await (const batch of table.batches()) {
      rows += batch.rows;
      batch.columns.forEach((cells, i) => {
        if (!("data" in cells)) throw new Error("no typed cells");
        for (const value of valuesOf(cells.data, table.columns[i]?.type ?? null)) hashes[i]?.update(`${canonicalText(value)}\n`);
      });
    }
  } catch (error) {
    if (isFault(error)) return error.message;
    throw error;
  }
  if (rows !== expected.rows) return `${rows} rows, not ${expected.rows}`;
  if (hashes.length !== expected.columns.length) return `${hashes.length} columns, not ${expected.columns.length}`;
  const different = hashes.findIndex((hash, i) => hash.digest("hex") !== expected.columns[i]?.[1]);
  return different < 0 ? null : `column ${expected.columns[different]?.[0]} has other values`;
}

/** A value as `parquet-facts.py` writes it, so that no two different ones are written alike. */
export function canonicalText(value: Value): string {
  if (value === null) return "n";
  if (typeof value === "boolean") return value ? "t" : "f";
  if (typeof value === "bigint") return `i${value}`;
  if (typeof value === "string") return `s${Buffer.from(value).toString("hex")}`;
  if (typeof value !== "number") return `[${value.map(canonicalText).join(",")}]`;
  if (Number.isNaN(value)) return "NaN";
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return `d${bytes.toString("hex")}`;
}
