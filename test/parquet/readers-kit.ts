import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DuckDBBlobValue,
  type DuckDBDateValue,
  type DuckDBDecimalValue,
  DuckDBInstance,
  type DuckDBTimestampNanosecondsValue,
  type DuckDBTimestampValue,
  type DuckDBTimeValue,
} from "@duckdb/node-api";
import { tableFromIPC } from "apache-arrow";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { readParquet } from "parquet-wasm";
import type { ColumnType } from "../../packages/core/src/domain/table-schema.ts";
import { columnDataOf } from "../../packages/core/src/formats/arrow-columns.ts";
import { type ColumnData, isValid } from "../../packages/core/src/schema/column-data.ts";
import type { TestColumn, Value } from "./chunk-kit.ts";

type Columns = readonly Pick<TestColumn, "name" | "type">[];

/** A file's columns as parquet-wasm reads them. */
export function byParquetWasm(file: Uint8Array, columns: Columns): Value[][] {
  const table = tableFromIPC(readParquet(file).intoIPCStream());
  return columns.map(({ name, type }) => {
    const vector = table.getChild(name);
    if (!vector) throw new Error(`parquet-wasm finds no column ${name}`);
    return vector.data.flatMap((data) => {
      const column = columnDataOf(data);
      return Array.from({ length: column.rows }, (_, row) => (isValid(column, row) ? cellOf(column, row, type) : null));
    });
  });
}

function cellOf(column: ColumnData, row: number, type: ColumnType): Value {
  switch (column.form) {
    case "words":
      return column.values[row] ?? null;
    case "pairs":
      return ((column.values[row * 2 + 1] ?? 0n) << 64n) | BigInt.asUintN(64, column.values[row * 2] ?? 0n);
    case "doubles":
    case "days":
      return column.values[row] ?? null;
    case "bits":
      return ((column.values[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
    case "bytes":
      return Buffer.from(column.values.subarray(column.offsets[row], column.offsets[row + 1])).toString(
        type.kind === "binary" ? "hex" : "utf8",
      );
    case "nulls":
    case "nested":
      return null;
  }
}

/** As hyparquet reads them. It makes doubles of decimals: so does `roughly` of what is expected. */
export async function byHyparquet(file: Uint8Array, columns: Columns): Promise<Value[][]> {
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;
  const exact = (value: bigint) => value;
  const rows = await parquetReadObjects({
    file: bytes,
    compressors,
    // Without it, binary columns are decoded as text.
    utf8: false,
    parsers: { timestampFromMicroseconds: exact, timestampFromNanoseconds: exact, dateFromDays: (days: number) => days },
  });
  return columns.map(({ name }) =>
    rows.map((row) => {
      const value = row[name] as Value | Uint8Array | undefined;
      if (value === undefined) throw new Error(`hyparquet finds no column ${name}`);
      if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
      return value;
    }),
  );
}

/** A value as hyparquet gives it at best. */
export function roughly(value: Value, type: ColumnType): Value {
  if (type.kind !== "decimal" || typeof value !== "bigint") return value;
  return Number(value) * 10 ** -type.scale;
}

/** One DuckDB for many files. */
export class Duck implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "sluice-encoder-"));
  readonly #connection = DuckDBInstance.create(":memory:").then((instance) => instance.connect());
  #files = 0;

  /** Keeps the file for queries, which find it under the path. */
  keep(file: Uint8Array): string {
    const path = join(this.#folder, `${this.#files++}.parquet`);
    writeFileSync(path, file);
    return path;
  }

  async rows(sql: string): Promise<Record<string, unknown>[]> {
    return (await (await this.#connection).runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[];
  }

  async columns(path: string, columns: Columns): Promise<Value[][]> {
    const reader = await (await this.#connection).runAndReadAll(`select * from read_parquet('${path}')`);
    const found = reader.getColumns();
    return columns.map(({ name, type }, i) => {
      if (reader.columnName(i) !== name) throw new Error(`DuckDB finds ${reader.columnName(i)} for ${name}`);
      return (found[i] ?? []).map((value) => (value === null ? null : duckValue(value, type)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#connection).closeSync();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function duckValue(value: unknown, type: ColumnType): Value {
  switch (type.kind) {
    case "decimal":
      return (value as DuckDBDecimalValue).value;
    case "date":
      return (value as DuckDBDateValue).days;
    case "time":
      return (value as DuckDBTimeValue).micros;
    case "timestamp":
      if (type.unit === "us") return (value as DuckDBTimestampValue).micros;
      return type.zone ? (value as DuckDBTimestampValue).micros : (value as DuckDBTimestampNanosecondsValue).nanos;
    case "binary":
      return Buffer.from((value as DuckDBBlobValue).bytes).toString("hex");
    case "unknown":
    case "bool":
    case "int64":
    case "double":
    case "text":
    case "nested":
      return value as Value;
  }
}

/** DuckDB has no type for instants in nanoseconds: it cuts them to microseconds. */
export function duckRoughly(value: Value, type: ColumnType): Value {
  if (type.kind !== "timestamp" || !type.zone || type.unit === "us" || typeof value !== "bigint") return value;
  return value / 1_000n;
}
