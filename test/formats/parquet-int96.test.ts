import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertBytes, duck, loaded, typesOf } from "./convert-kit.ts";
import { corpus } from "./corpus.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "parquet-fixtures", name));

const FAR = [
  "0001-01-01 00:00:00",
  "1582-10-15 01:02:03.000004",
  "1900-01-01 00:00:00",
  "2024-02-29 12:34:56.789012",
  "9999-12-31 23:59:59.999999",
  null,
];

for (const name of ["int96-far.parquet", "int96-far-arrow-schema.parquet"]) {
  test(`${name}: INT96 times of every year come out as they went in, nested ones too`, async () => {
    const result = await convertBytes(name, fixture(name));
    expect(typesOf(result.outcome)).toMatchObject({ id: "int64", at: "timestamp(false,us)", last: "text" });
    expect(loaded(result.outcome).counts).toMatchObject({ loaded: 6, rejected: 0, warnings: 0 });
    const rows = await duck(result.parts, `select "at"::varchar t, "all"[1]::varchar n, last l from parts order by id`);
    expect(rows).toEqual(FAR.map((t) => ({ t, n: t, l: "z" })));
  });
}

test("INT96 times with nanoseconds keep them while every value is within their years", async () => {
  const result = await convertBytes("a.parquet", fixture("int96-nanos.parquet"));
  expect(typesOf(result.outcome)).toEqual({ at: "timestamp(false,ns)" });
  expect(loaded(result.outcome).counts.warnings).toBe(0);
  expect(await duck(result.parts, 'select epoch_ns("at")::varchar n from parts')).toEqual([
    { n: "1" },
    { n: "1700000000123456789" },
    { n: null },
  ]);
});

test("INT96 times with nanoseconds beside years that those cannot reach are cut to microseconds, each with a warning", async () => {
  const result = await convertBytes("a.parquet", fixture("int96-nanos-and-far.parquet"));
  expect(typesOf(result.outcome)).toEqual({ at: "timestamp(false,us)" });
  expect(loaded(result.outcome).counts).toMatchObject({ loaded: 2, warnings: 2 });
  expect(await duck(result.parts, 'select "at"::varchar t from parts')).toEqual([
    { t: "2023-11-14 22:13:20.123456" },
    { t: "9999-12-31 22:13:20" },
  ]);
});

const spark = corpus("parquet-testing/data");
test.skipIf(spark === null)("Spark's own INT96 file has the values that Spark wrote, also the one whose day it let overflow", async () => {
  const result = await convertBytes("a.parquet", readFileSync(join(spark ?? "", "int96_from_spark.parquet")));
  expect(typesOf(result.outcome)).toEqual({ a: "timestamp(false,us)" });
  const values = ["1704141296123456", "1704070800000000", "253402225200000000", "1735599600000000", null, "9089380393200000000"];
  expect(await duck(result.parts, "select epoch_us(a)::varchar t from parts")).toEqual(values.map((t) => ({ t })));
});
