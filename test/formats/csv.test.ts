import { expect, test } from "vitest";
import { convertBytes, duck, loaded, metadataOf, rowsOf, typesOf } from "./convert-kit.ts";

test("a csv becomes typed Parquet that other readers read", async () => {
  const result = await convertBytes("a.csv", "id,name,price,day,ok\n1,ann,1.5,2024-02-29,true\n2,bob,2.25,2024-03-01,false\n");
  expect(loaded(result.outcome).counts).toEqual({ read: 2, loaded: 2, rejected: 0, skipped: 0, warnings: 0 });
  expect(typesOf(result.outcome)).toEqual({ id: "int64", name: "text", price: "double", day: "date", ok: "bool" });
  expect(await rowsOf(result)).toEqual([
    { id: 1n, name: "ann", price: 1.5, day: new Date("2024-02-29"), ok: true },
    { id: 2n, name: "bob", price: 2.25, day: new Date("2024-03-01"), ok: false },
  ]);
  expect(await duck(result.parts, "select sum(id)::int as s, max(day)::text as d from parts")).toEqual([{ s: 3, d: "2024-03-01" }]);
  const metadata = metadataOf(result.parts[0]);
  expect(metadata.schema.slice(1).map(({ name, field_id }) => [name, field_id])).toEqual([
    ["id", 1],
    ["name", 2],
    ["price", 3],
    ["day", 4],
    ["ok", 5],
  ]);
  const own = metadata.key_value_metadata?.filter(({ key }) => key.startsWith("sluice."));
  expect(Object.fromEntries(own?.map(({ key, value }) => [key, value]) ?? [])).toEqual({
    "sluice.file": "0197c0de-0000-7000-8000-000000000001",
    "sluice.table": "main",
    "sluice.rows_read": "2",
    "sluice.rows_loaded": "2",
    "sluice.rows_rejected": "0",
    "sluice.rows_skipped": "0",
  });
});
