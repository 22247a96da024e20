import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { COMPRESSIONS, type CompressionName } from "../../packages/core/src/domain/options.ts";
import { convertBytes, rowsOf } from "./convert-kit.ts";
import { zipOf } from "./zip-writer.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/grid");
const fixture = (name: string) => readFileSync(join(FOLDER, name));

/** The formats of the grid, by what stands before the dot in the names of their fixtures. */
export const GRID_FORMATS: readonly string[] = readdirSync(FOLDER)
  .filter((name) => /^[a-z-]+\.(csv|tsv|json|jsonl|xls|xlsx|arrow|feather|orc|parquet)$/.test(name) && name !== "rows.json")
  .map((name) => name.split(".")[0] ?? "");
export const GRID_COMPRESSIONS = COMPRESSIONS;

const SUFFIXES: Readonly<Record<CompressionName, string>> = { none: "", gzip: ".gz", bz2: ".bz2", zip: ".zip", xz: ".xz", zstd: ".zst" };

function fileOf(format: string): string {
  const name = readdirSync(FOLDER).find((file) => file.startsWith(`${format}.`) && file.split(".").length === 2);
  if (name === undefined) throw new Error(`no fixture of ${format}`);
  return name;
}

/** The file of one cell, under the name that people give such files. */
export function cellFile(format: string, compression: CompressionName): { name: string; bytes: Uint8Array } {
  const plain = fileOf(format);
  const name = `${plain}${SUFFIXES[compression]}`;
  switch (compression) {
    case "none":
    case "bz2":
    case "xz":
      return { name, bytes: fixture(name) };
    case "gzip":
      return { name, bytes: gzipSync(fixture(plain)) };
    case "zstd":
      return { name, bytes: zstdCompressSync(fixture(plain)) };
    case "zip":
      return { name, bytes: zipOf([{ name: plain, content: fixture(plain) }]) };
  }
}

const EXPECTED = (JSON.parse(fixture("rows.json").toString()) as Record<string, unknown>[]).map((row) => ({ ...row }));

/** Converts the file of a cell. Null where its rows are those of rows.json, else what is wrong. */
export async function wrongInCell(format: string, compression: CompressionName, name?: string): Promise<string | null> {
  const file = cellFile(format, compression);
  const converted = await convertBytes(name ?? file.name, file.bytes);
  const { outcome } = converted;
  if (outcome.kind === "failed") return `${outcome.fault.code}: ${outcome.fault.message}`;
  if (outcome.kind !== "tables") return outcome.kind;
  if (outcome.detected.compression !== compression) return `compression ${outcome.detected.compression}`;
  if (outcome.counts.loaded !== EXPECTED.length || outcome.counts.rejected !== 0) return `counts ${JSON.stringify(outcome.counts)}`;
  const [table] = outcome.tables;
  if (outcome.tables.length !== 1 || table?.table !== "main") return `tables ${outcome.tables.map((one) => one.table).join(", ")}`;
  const types = Object.fromEntries(table.schema.columns.map((column) => [column.name, column.type.kind]));
  const wanted = { id: "int64", price: "double", name: "text", day: "date", note: "text" };
  if (!isDeepStrictEqual(types, wanted)) return `types ${JSON.stringify(types)}`;
  const rows = (await rowsOf(converted)).map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plainValue(value)])),
  );
  return isDeepStrictEqual(rows, EXPECTED) ? null : `rows ${JSON.stringify(rows)}`;
}

function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Date) return value.toISOString().slice(0, 10);
  return value ?? null;
}
