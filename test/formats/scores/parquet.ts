import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parquet } from "../../../packages/core/src/formats/parquet.ts";
import { DEFAULT_LIMITS } from "../../../packages/core/src/domain/convert-limits.ts";
import { convertBytes, duck } from "../convert-kit.ts";
import { difference, type Facts } from "./facts.ts";

const ALL_AS_TEXT = "select columns(*)::varchar from parts";

type Known = Facts | { readonly refused: string };

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
  const facts = JSON.parse(readFileSync(join(import.meta.dirname, "parquet-facts.json"), "utf8")) as Record<string, Known>;
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
    const found = await difference(await openParquetBytes(bytes), expected);
    if (found !== null) wrong.push(`${name}: ${found}`);
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

function openParquetBytes(bytes: Uint8Array) {
  return parquet.open({
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
}
