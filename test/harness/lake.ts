import { createHash } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Service } from "./service.ts";

/** current.json: the reader's contract. */
export interface Current {
  readonly version: number;
  readonly generation: number;
  readonly rows: number;
  readonly tables: readonly { readonly name: string; readonly columns: readonly { readonly name: string; readonly type: string }[] }[];
  readonly parts: readonly {
    readonly table: string;
    readonly key: string;
    readonly rows: number;
    readonly bytes: number;
    readonly sha256: string;
    readonly files: readonly string[];
  }[];
  readonly files: readonly { readonly name: string; readonly key: string; readonly bytes: number; readonly sha256: string }[];
}

/** What a reader finds at a dataset's path; null before its first version. */
export async function readCurrent({ objects }: Pick<Service, "objects">, path: string): Promise<Current | null> {
  const bytes = await readObject({ objects }, `lake/0${path}/current.json`);
  return bytes && (JSON.parse(bytes.toString("utf8")) as Current);
}

export async function readObject({ objects }: Pick<Service, "objects">, key: string): Promise<Buffer | null> {
  if (!(await objects.head(key))) return null;
  return Buffer.concat(await Array.fromAsync(await objects.get(key)));
}

/** The live parts of a dataset as local files whose bytes are what current.json says. */
export async function livePartFiles(service: Service, path: string, current?: Current): Promise<string[]> {
  const { parts } = current ?? (await readCurrent(service, path)) ?? { parts: [] };
  await mkdir(service.scratch, { recursive: true });
  const folder = await mkdtemp(join(service.scratch, "parts-"));
  const files: string[] = [];
  for (const [at, part] of parts.entries()) {
    const bytes = await readObject(service, part.key);
    const sha256 = createHash("sha256")
      .update(bytes ?? "")
      .digest("hex");
    if (!bytes || sha256 !== part.sha256) throw new Error(`part ${part.key} is ${bytes ? "not what current.json says" : "not there"}`);
    const file = join(folder, `${at}.parquet`);
    await writeFile(file, bytes);
    files.push(file);
  }
  return files;
}

/** Rows of a query in DuckDB; `lake` in it stands for the live rows of the dataset, read through current.json. */
export async function duck(service: Service, path: string, sql: string): Promise<Record<string, unknown>[]> {
  const files = await livePartFiles(service, path);
  if (files.length === 0) return [];
  return query(`WITH lake AS (SELECT * FROM read_parquet([${files.map((file) => `'${file}'`).join(", ")}], union_by_name = true)) ${sql}`);
}

/** Runs one statement in a DuckDB of its own; integers that fit a double are numbers, times are texts. */
export async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const rows = (await connection.runAndReadAll(sql)).getRowObjects();
    return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  // DuckDB's own values of times and decimals say themselves in its text form.
  return typeof value === "object" && value !== null ? (value as { toString(): string }).toString() : value;
}
