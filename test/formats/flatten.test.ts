import { expect, test } from "vitest";
import { convertBytes, duck, loaded, typesOf } from "./convert-kit.ts";
import { parquetOf } from "./parquet-kit.ts";

const NESTED = `select i, case when i = 2 then null else {'a': i, 'b': {'c': 'x' || i, 'd': case when i = 1 then null else i / 4 end}} end s,
  [i, null, 9007199254740993 + i] l, map {'k"' || i: date '2024-01-01' + i::int} m, map {i: [true, null]} n,
  [{'t': timestamp '2024-01-01 10:00:00' + i * interval 1 hour, 'x': ('\\x01')::blob, 'f': 'nan'::double, 'd': (i / 4)::decimal(5,2)}] o
  from range(3) r(i)`;

test("with nested=flatten the fields of structs become columns, lists and maps become JSON", async () => {
  const result = await convertBytes("a.parquet", await parquetOf(NESTED), { options: { nested: "flatten" } });
  expect(typesOf(result.outcome)).toEqual({
    i: "int64",
    "s.a": "int64",
    "s.b.c": "text",
    "s.b.d": "double",
    l: "text",
    m: "text",
    n: "text",
    o: "text",
  });
  const rows = await duck(result.parts, "select * from parts");
  expect(rows.map((row) => [row["s.a"], row["s.b.c"], row["s.b.d"]])).toEqual([
    ["0", "x0", 0],
    ["1", "x1", null],
    [null, null, null],
  ]);
  expect(rows[1]).toMatchObject({
    l: "[1,null,9007199254740994]",
    m: '{"k\\"1":"2024-01-02"}',
    n: "[[1,[true,null]]]",
    o: '[{"t":"2024-01-01T11:00:00","x":"AQ==","f":"NaN","d":0.25}]',
  });
});

test("a table without nested columns is the same with nested=flatten", async () => {
  const source = await parquetOf("select i, 'x' || i s from range(10) r(i)");
  const [flat, kept] = [
    await convertBytes("a.parquet", source, { options: { nested: "flatten" } }),
    await convertBytes("a.parquet", source),
  ];
  expect(loaded(flat.outcome).tables).toEqual(loaded(kept.outcome).tables);
  expect(await duck(flat.parts, "select * from parts")).toEqual(await duck(kept.parts, "select * from parts"));
});

test("names that flattening makes alike are told apart", async () => {
  const result = await convertBytes("a.parquet", await parquetOf(`select 1 "s.a", {'a': 2} s`), { options: { nested: "flatten" } });
  expect(typesOf(result.outcome)).toEqual({ "s.a": "int64", "s.a_1": "int64" });
});
