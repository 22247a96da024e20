import { tableFromIPC } from "apache-arrow";
import { afterAll, expect, it } from "vitest";
import type { ColumnType } from "../../packages/core/src/domain/table-schema.ts";
import { openParquetWriter } from "../../packages/core/src/parquet/writer.ts";
import { fileOf, schemaOf } from "./chunk-kit.ts";
import { Duck } from "./readers-kit.ts";
import { TYPES } from "./values-kit.ts";

const duck = new Duck();
afterAll(() => duck[Symbol.asyncDispose]());

/** Fields of a schema message in base64: both writers lay its bytes out in their own ways. */
function fieldsOf(pairs: Record<string, unknown>[] | undefined) {
  const message = Buffer.from(String(pairs?.[0]?.["value"]), "base64");
  return tableFromIPC(message).schema.fields.map((field) => [String(field), field.nullable, [...field.metadata]]);
}

// parquet-wasm still writes tables with nested columns: a column must not change its physical type when one is added.
it("every type is written in the physical, logical and converted type that parquet-wasm gives it, and with the same Arrow schema", async () => {
  const decimals = Array.from({ length: 38 }, (_, i): ColumnType => ({ kind: "decimal", precision: i + 1, scale: Math.min(i, 7) }));
  const columns = [...TYPES, ...decimals].map((type, i) => ({ name: `c${i} ä`, type, mode: "plain" as const, values: [] }));
  const ours = duck.keep(await fileOf(columns, { rows: 0, groupRows: 1, pageBytes: 1, compression: "zstd" }));
  const bytes: Uint8Array[] = [];
  const sink = async (chunk: Uint8Array) => void bytes.push(chunk.slice());
  const peer = openParquetWriter({ schema: schemaOf(columns), metadata: new Map(), lateKeys: [], sink });
  await peer.close(new Map());
  const theirs = duck.keep(Buffer.concat(bytes));
  const schemas = [ours, theirs].map((path) => duck.rows(`select * exclude file_name from parquet_schema('${path}')`));
  expect(await schemas[0]).toEqual(await schemas[1]);
  const arrow = [ours, theirs].map((path) => duck.rows(`select value from parquet_kv_metadata('${path}') where key = 'ARROW:schema'`));
  expect(fieldsOf(await arrow[0])).toEqual(fieldsOf(await arrow[1]));
});

it("keeps the key-value metadata given first and last", async () => {
  const columns = [{ name: "a", type: { kind: "int64" } as const, mode: "plain" as const, values: [1n] }];
  const path = duck.keep(await fileOf(columns, { rows: 1, groupRows: 1, pageBytes: 1, compression: "zstd" }));
  const pairs = await duck.rows(`select key::varchar k, value::varchar v from parquet_kv_metadata('${path}') where key <> 'ARROW:schema'`);
  expect(pairs.toSorted((a, b) => String(a["k"]).localeCompare(String(b["k"])))).toEqual([
    { k: "a", v: "b" },
    { k: "late", v: "value" },
  ]);
});
