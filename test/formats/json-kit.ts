import { Vector } from "apache-arrow";
import type { FileOptions } from "../../packages/core/src/domain/options.ts";
import type { FormatInput, OpenedTable, SourceCells } from "../../packages/core/src/formats/format.ts";
import { json } from "../../packages/core/src/formats/json.ts";
import { DEFAULT_LIMITS } from "../../packages/core/src/ports/converter.ts";
import type { ColumnData } from "../../packages/core/src/schema/column-data.ts";
import { isValid } from "../../packages/core/src/schema/column-data.ts";
import { textAt } from "../../packages/core/src/schema/render.ts";

/** Bytes as a format gets them, `chunkBytes` at a time. */
export function inputOf(bytes: Uint8Array, chunkBytes: number, options: FileOptions = {}, name: "json" | "ndjson" = "json"): FormatInput {
  return {
    name,
    async *decoded() {
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        const chunk = bytes.slice(at, at + chunkBytes);
        yield { bytes: chunk, rawBytes: at + chunk.length };
      }
    },
    random: async () => ({ size: bytes.length, read: async (from, to) => bytes.slice(from, to) }),
    rawSize: bytes.length,
    options,
    limits: { ...DEFAULT_LIMITS, chunkBytes },
    ragged: "misfit",
  };
}

/** A table read whole: rows as objects of plain values, and what was no row. */
export interface Read {
  readonly table: string;
  readonly types: Readonly<Record<string, string>>;
  readonly rows: readonly Record<string, unknown>[];
  readonly misfits: readonly { readonly row: number; readonly reason: string }[];
  readonly warnings: number;
}

export async function readTables(input: FormatInput): Promise<Read[]> {
  const reads: Read[] = [];
  for (const table of await wholeTables(input)) reads.push(await readTable(table));
  return reads;
}

/** The tables of a file, all rows looked at. */
export async function wholeTables(input: FormatInput): Promise<OpenedTable[]> {
  const { tables } = await json.open(input);
  return Promise.all(tables.map(async (table) => (await table.whole?.()) ?? table));
}

async function readTable(table: OpenedTable): Promise<Read> {
  const rows: Record<string, unknown>[] = [];
  const misfits: { row: number; reason: string }[] = [];
  let warnings = 0;
  for await (const batch of table.batches()) {
    for (let i = 0; i < batch.rows; i++) {
      rows.push(Object.fromEntries(table.columns.map(({ name }, c) => [name, valueAt(batch.columns[c], i)])));
    }
    misfits.push(...batch.misfits.map(({ row, reason }) => ({ row, reason })));
    warnings += batch.cut + batch.filled;
  }
  const types = Object.fromEntries(table.columns.map(({ name, type }) => [name, type?.kind ?? ""]));
  return { table: table.table, types, rows, misfits, warnings };
}

function valueAt(cells: SourceCells | undefined, row: number): unknown {
  if (!cells || !("data" in cells)) throw new Error("columns of JSON come typed");
  const { data } = cells;
  if (data.form === "nested") return plain(new Vector([data.data]).get(row));
  if (!isValid(data, row)) return null;
  return leafAt(data, row);
}

function leafAt(data: ColumnData, row: number): unknown {
  switch (data.form) {
    case "words":
      return Number(data.values[row]);
    case "doubles":
      return data.values[row];
    case "bits":
      return textAt(data, { kind: "bool" }, row) === "true";
    case "bytes":
      return textAt(data, { kind: "text" }, row);
    case "days":
      return textAt(data, { kind: "date" }, row);
    case "pairs":
    case "nulls":
    case "nested":
      throw new Error(`${data.form} is not looked at here`);
  }
}

/** Arrow's values as JSON has them. */
export function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Vector || Array.isArray(value)) return Array.from(value as Iterable<unknown>, plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries("toJSON" in value ? (value as { toJSON(): object }).toJSON() : value).map(([k, v]) => [k, plain(v)]),
  );
}
