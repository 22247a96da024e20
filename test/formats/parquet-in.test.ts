import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseType } from "../../packages/core/src/domain/table-schema.ts";
import { convertBytes, duck, failedWith, loaded, typesOf } from "./convert-kit.ts";
import { parquetOf } from "./parquet-kit.ts";

const FLAT = `select i::tinyint i8, i::integer i32, i::bigint i64, i::ubigint u64, (i / 7)::float f32, (i / 7)::double f64, (i / 100)::decimal(9,2) d9,
  (i * 1e20)::decimal(38,4) d38, i % 2 = 0 b, date '2024-01-01' + i::int d, time '10:00:00' + i * interval 1 second t,
  timestamp '2024-01-01' + i * interval 1 hour ts, (timestamp '2024-01-01' + i * interval 1 hour)::timestamp_ns tns,
  (timestamp '2024-01-01' + i * interval 1 hour)::timestamptz tz, 'ž' || i s, ('x' || i)::blob bin, null::int void,
  case when i % 3 = 0 then null else i end part, case i % 2 when 0 then 'odd' else 'even' end::enum('odd', 'even') e from range(100) r(i)`;

test("flat Parquet comes out with canonical types and the same values", async () => {
  const source = await parquetOf(FLAT);
  const result = await convertBytes("a.parquet", source);
  expect(typesOf(result.outcome)).toEqual({
    i8: "int64",
    i32: "int64",
    i64: "int64",
    u64: "decimal(38,0)",
    f32: "double",
    f64: "double",
    d9: "decimal(9,2)",
    d38: "decimal(38,4)",
    b: "bool",
    d: "date",
    t: "time",
    ts: "timestamp(false,us)",
    tns: "timestamp(false,ns)",
    tz: "timestamp(true,us)",
    s: "text",
    bin: "binary",
    void: "int64",
    part: "int64",
    e: "text",
  });
  const sql = "select columns(*)::varchar from parts";
  const f32 = "select f32::double::varchar f from parts";
  const [ours, theirs] = [await duck(result.parts, sql), await duck([source], sql)];
  const without = (rows: typeof ours) => rows.map((row) => ({ ...row, f32: null }));
  expect(without(ours)).toEqual(without(theirs));
  expect(await duck(result.parts, f32)).toEqual(await duck([source], f32));
});

test("nested Parquet is kept as it is, nulls at every level", async () => {
  const source = await parquetOf(`select i, case when i % 5 = 0 then null else [i, null, i + 1] end l,
    {'a': i, 'b': case when i % 2 = 0 then null else {'c': ['x' || i]} end} s, map {'k' || i: i * 1.5} m, [[i], []] ll from range(5000) r(i)`);
  const result = await convertBytes("a.parquet", source);
  expect(loaded(result.outcome).counts).toMatchObject({ read: 5000, loaded: 5000 });
  const sql = "select columns(*)::varchar from parts order by i::bigint";
  expect(await duck(result.parts, sql)).toEqual(await duck([source], sql));
  // The same columns once more, and then without the nested ones: one column, one physical type.
  const schemas = { main: loaded(result.outcome).tables[0]!.schema };
  expect(loaded((await convertBytes("b.parquet", source, { schemas })).outcome).tables[0]?.change).toBe("none");
  const csv = await convertBytes("c.csv", "i\n7\n", { schemas });
  expect(await duck([...result.parts, ...csv.parts], "select count(*)::int n, count(s)::int s from parts")).toEqual([{ n: 5001, s: 5000 }]);
});

test("max_rows takes the first rows of nested columns too, and counts the others as skipped", async () => {
  const source = await parquetOf("select i, [i, null] l, {'a': i} s from range(20000) r(i)");
  const { outcome, parts } = await convertBytes("a.parquet", source, { options: { max_rows: 9_000 } });
  expect(loaded(outcome).counts).toEqual({ read: 20_000, loaded: 9_000, rejected: 0, skipped: 11_000, warnings: 0 });
  expect(await duck(parts, "select count(*) n, sum(l[1]) l, max(s.a) s from parts")).toEqual([{ n: "9000", l: "40495500", s: "8999" }]);
});

test("rows of a nested file that do not fit leave the others whole", async () => {
  const source = await parquetOf("select case when i % 7 = 3 then 'bad' else i::varchar end id, [i, i + 1] l from range(100) r(i)");
  const schemas = { main: { columns: [{ id: 1, name: "id", type: parseType("int64", ""), declared: false }], lastId: 1 } };
  const result = await convertBytes("a.parquet", source, { schemas, rules: { maxRejects: { share: 0.5 } } });
  expect(loaded(result.outcome).counts).toMatchObject({ read: 100, loaded: 86, rejected: 14 });
  expect(result.rejects[0]).toMatchObject({ row: 4, column: "id", raw: "bad", reason: '"bad" is no int64', byte_offset: null });
  expect(await duck(result.parts, "select count(*)::int n from parts where l[1] = id and l[2] = id + 1")).toEqual([{ n: 86 }]);
});

test("Parquet of other types meets a schema by way of exact text", async () => {
  const schemas = {
    main: {
      columns: [
        { id: 1, name: "a", type: parseType("double", ""), declared: false },
        { id: 2, name: "b", type: parseType("text", ""), declared: false },
        { id: 3, name: "c", type: parseType("int64", ""), declared: false },
      ],
      lastId: 3,
    },
  };
  const source = await parquetOf("select 5::int a, date '2024-01-02' b, '17' c");
  const result = await convertBytes("a.parquet", source, { schemas, rules: { policy: "strict" } });
  expect(await duck(result.parts, "select * from parts")).toEqual([{ a: 5, b: "2024-01-02", c: "17" }]);
});

test("Parquet without rows is loaded with its columns", async () => {
  const result = await convertBytes("a.parquet", await parquetOf("select 1 a where false"));
  expect(loaded(result.outcome)).toMatchObject({ counts: { read: 0, loaded: 0 } });
  expect(typesOf(result.outcome)).toEqual({ a: "int64" });
  expect(await duck(result.parts, "select count(*)::int n from parts")).toEqual([{ n: 0 }]);
});

test("damaged pages are the file's failure, not the process's", async () => {
  const bytes = await parquetOf("select i, 'x' || i s from range(10000) r(i)");
  for (const at of [200, 5_000, 30_000]) {
    const damaged = Buffer.from(bytes);
    damaged.fill(0xff, at, at + 200);
    const { outcome } = await convertBytes("a.parquet", damaged);
    expect(failedWith(outcome)).toMatchObject({ fault: { code: "unreadable" }, counts: { loaded: 0 } });
  }
});

test("times of day with nanoseconds are kept to the microsecond, each that loses some with a warning", async () => {
  const result = await convertBytes("a.parquet", readFileSync(join(import.meta.dirname, "parquet-fixtures/time-nanos.parquet")));
  expect(loaded(result.outcome).counts).toMatchObject({ loaded: 4, warnings: 2 });
  const rows = await duck(result.parts, "select t::varchar t from parts");
  expect(rows.map((row) => row["t"])).toEqual(["00:00:00.000001", "00:00:00.000001", "23:59:59.999999", null]);
});

test("what the store throws while Parquet is read is thrown, not blamed on the file", async () => {
  const { convert } = await import("../../packages/core/src/flow/convert.ts");
  const { DEFAULT_LIMITS } = await import("../../packages/core/src/ports/converter.ts");
  const { DEFAULT_RULES } = await import("../../packages/core/src/domain/options.ts");
  const bytes = await parquetOf("select i from range(10000) r(i)");
  let reads = 0;
  const io = {
    read: async (offset: number, length: number) => {
      if (++reads > 4) throw new Error("the store went away");
      return bytes.subarray(offset, offset + length);
    },
    openPart: async () => ({ write: async () => {}, close: async () => ({ bytes: 0, sha256: "" }), abort: async () => {} }),
    openRejects: () => Promise.reject(new Error("none")),
    progress: () => {},
  };
  const request = {
    name: "a.parquet",
    bytes: bytes.length,
    options: {},
    rules: DEFAULT_RULES,
    schemas: {},
    mode: "load",
    file: "f",
    loadedAtMs: 0,
    limits: DEFAULT_LIMITS,
  } as const;
  await expect(convert(request, io, new AbortController().signal)).rejects.toThrow("the store went away");
});
