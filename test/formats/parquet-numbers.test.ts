import { expect, test } from "vitest";
import type { TableSchemas } from "../../packages/core/src/domain/table-schema.ts";
import { convertBytes, duck, loaded } from "./convert-kit.ts";
import { parquetOf } from "./parquet-kit.ts";

async function load(content: string | Uint8Array, schemas: TableSchemas) {
  const name = typeof content === "string" ? "a.csv" : "a.parquet";
  const result = await convertBytes(name, content, { schemas });
  const table = loaded(result.outcome).tables[0]!;
  return { ...result, table, schemas: { main: table.schema }, counts: loaded(result.outcome).counts };
}

const INTS = "select i n from range(1000) r(i)";
const DOUBLES = "select i / 4 n from range(1000) r(i)";

test("an int64 column fed by Parquet has the facts of its data, and widens to double when doubles come", async () => {
  const ints = await load(await parquetOf(INTS), {});
  expect(ints.table.schema.columns[0]).toMatchObject({
    type: { kind: "int64" },
    numbers: { integerDigits: 3, scale: 0, doubleExact: true },
  });
  for (const doubles of [await parquetOf(DOUBLES), "n\n1.5\n-2.25\n"]) {
    const next = await load(doubles, ints.schemas);
    expect(next.table).toMatchObject({ change: "widened", widened: [expect.stringContaining("n")] });
    expect(next.table.schema.columns[0]?.type).toEqual({ kind: "double" });
    expect(next.counts.rejected).toBe(0);
  }
});

test("a double column stays one when int64 values come that doubles hold", async () => {
  const doubles = await load(await parquetOf(DOUBLES), {});
  expect(doubles.table.schema.columns[0]?.numbers).toEqual({ integerDigits: 3, scale: 2, doubleExact: true });
  const next = await load(await parquetOf(INTS), doubles.schemas);
  expect(next.table).toMatchObject({ change: "none" });
  expect(next.counts).toMatchObject({ loaded: 1000, rejected: 0 });
});

test("int64 values that doubles would round make a column of doubles a decimal", async () => {
  const doubles = await load(await parquetOf(DOUBLES), {});
  const next = await load(await parquetOf("select 9007199254740993 n"), doubles.schemas);
  expect(next.table.schema.columns[0]?.type).toEqual({ kind: "decimal", precision: 38, scale: 2 });
  expect(await duck(next.parts, "select n::varchar n from parts")).toEqual([{ n: "9007199254740993.00" }]);
});

test("facts add up over files of one type", async () => {
  const small = await load(await parquetOf("select 7::bigint n"), {});
  const large = await load(await parquetOf("select 123456789012 n"), small.schemas);
  const again = await load(await parquetOf("select 7::bigint n"), large.schemas);
  expect(again.table).toMatchObject({ change: "none" });
  expect(again.table.schema.columns[0]?.numbers).toEqual({ integerDigits: 12, scale: 0, doubleExact: true });
});
