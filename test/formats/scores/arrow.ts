import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import { isFault } from "../../../packages/core/src/domain/fault.ts";
import type { ColumnType } from "../../../packages/core/src/domain/table-schema.ts";
import { arrow } from "../../../packages/core/src/formats/arrow.ts";
import { DEFAULT_LIMITS } from "../../../packages/core/src/ports/converter.ts";
import { convertBytes } from "../convert-kit.ts";
import { valuesOf } from "./column-values.ts";
import { type Golden, goldenColumns, goldenRows, type JsonField, type Value } from "./golden-json.ts";

/** How many golden files were read as the JSON beside them says; the others by name, each with its reason. */
export interface GoldenScore {
  readonly files: number;
  readonly equal: number;
  readonly refused: readonly string[];
  readonly wrong: readonly string[];
}

/** Reads every golden IPC file of an `integration` folder of arrow-testing: its batches, and then as a conversion. */
export async function scoreArrow(folder: string): Promise<GoldenScore> {
  const refused: string[] = [];
  const wrong: string[] = [];
  let files = 0;
  for (const version of readdirSync(folder, { withFileTypes: true })) {
    if (!version.isDirectory()) continue;
    for (const name of readdirSync(join(folder, version.name)).sort()) {
      if (!/\.(arrow_file|stream)$/.test(name)) continue;
      files++;
      const path = join(folder, version.name, name);
      const golden = JSON.parse(bigSafe(gunzipSync(readFileSync(path.replace(/\.[^.]+$/, ".json.gz"))).toString("utf8"))) as Golden;
      const verdict = await judge(readFileSync(path), golden);
      if (verdict?.refused === true) refused.push(`${version.name}/${name}: ${verdict.why}`);
      else if (verdict) wrong.push(`${version.name}/${name}: ${verdict.why}`);
    }
  }
  return { files, equal: files - refused.length - wrong.length, refused, wrong };
}

/** Whole numbers beyond 2^53 that stand without quotes, as texts. */
function bigSafe(json: string): string {
  return json.replace(/([[,:\s])(-?\d{16,})(?=[,\]}\s])/g, '$1"$2"');
}

async function judge(bytes: Uint8Array, golden: Golden): Promise<{ refused: boolean; why: string } | null> {
  try {
    const difference = await compare(bytes, golden);
    if (difference !== null) return { refused: false, why: difference };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { refused: true, why: error.message };
  }
  const { outcome } = await convertBytes("golden.arrow", bytes);
  if (outcome.kind !== "tables") return { refused: true, why: outcome.kind === "failed" ? outcome.fault.message : outcome.kind };
  const [loaded, rows] = [outcome.counts.loaded, goldenRows(golden)];
  return loaded === rows ? null : { refused: false, why: `${loaded} of ${rows} rows were loaded` };
}

/** Opens Arrow bytes as the pipeline does. */
export function openArrowBytes(bytes: Uint8Array, limits: Partial<typeof DEFAULT_LIMITS> = {}) {
  return arrow.open({
    name: "arrow",
    decoded: async function* () {
      yield { bytes, rawBytes: bytes.length };
    },
    random: async () => ({ size: bytes.length, read: async (from: number, to: number) => bytes.slice(from, to) }),
    rawSize: bytes.length,
    options: {},
    limits: { ...DEFAULT_LIMITS, ...limits, chunkBytes: 512 * 1024 },
    ragged: "misfit",
  });
}

async function compare(bytes: Uint8Array, golden: Golden): Promise<string | null> {
  const { tables } = await openArrowBytes(bytes);
  const table = tables[0];
  if (!table) return "no table";
  const { fields } = golden.schema;
  if (table.columns.length !== fields.length) return `${table.columns.length} columns, not ${fields.length}`;
  const misnamed = fields.findIndex(({ name }, i) => !table.columns[i]?.name.startsWith(name.trim() || "column_"));
  if (misnamed >= 0) return `column ${misnamed} is named ${table.columns[misnamed]?.name}`;
  const found: Value[][] = fields.map(() => []);
  for await (const batch of table.batches()) {
    batch.columns.forEach((cells, i) => {
      if (!("data" in cells)) throw new Error("no typed cells");
      found[i]?.push(...valuesOf(cells.data, table.columns[i]?.type ?? null));
    });
  }
  const expected = goldenColumns(golden);
  for (const [i, field] of fields.entries()) {
    const [ours, theirs] = [found[i] ?? [], (expected[i] ?? []).map((value) => atTopLevel(field, table.columns[i]?.type ?? null, value))];
    const row = theirs.findIndex((value, at) => !isDeepStrictEqual(value, ours[at]));
    if (row >= 0) return `column ${field.name} row ${row}: ${shown(ours[row])}, not ${shown(theirs[row])}`;
    if (ours.length !== theirs.length) return `column ${field.name} has ${ours.length} rows, not ${theirs.length}`;
  }
  return null;
}

const DAY_NANOS = 86_400_000_000_000n;

/**
 * A value in the terms of our column's type, by its documented rules: times of day are kept to the microsecond; dates in
 * milliseconds are dates where all of their column are whole days, which the division tells.
 */
function atTopLevel(field: JsonField, type: ColumnType | null, value: Value): Value {
  if (typeof value !== "bigint") return value;
  if (field.type.name === "time" && field.type["unit"] === "NANOSECOND") return value - (value % 1_000n);
  if (field.type.name !== "date" || field.type["unit"] === "DAY" || type?.kind !== "date") return value;
  return value % DAY_NANOS === 0n ? value / DAY_NANOS : "a time of day that a date has not";
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner))?.slice(0, 200) ?? "nothing";
}
