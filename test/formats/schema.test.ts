import { expect, test } from "vitest";
import type { SchemaPolicy } from "../../packages/core/src/domain/dataset.ts";
import { parseType, type TableSchema } from "../../packages/core/src/domain/table-schema.ts";
import { convertBytes, duck, failedWith, loaded, metadataOf, rowsOf, typesOf } from "./convert-kit.ts";

function schemaOf(columns: Record<string, string>, declared = false): { main: TableSchema } {
  const list = Object.entries(columns).map(([name, type], i) => ({
    id: i + 1,
    name,
    type: type === "unknown" ? ({ kind: "unknown" } as const) : parseType(type, name),
    declared,
    ...(/^(int64|decimal)/.test(type) ? { numbers: { integerDigits: 5, scale: 0, doubleExact: type === "int64" } } : {}),
  }));
  return { main: { columns: list, lastId: list.length } };
}

const under = (policy: SchemaPolicy, columns: Record<string, string>, text: string, declared = false) =>
  convertBytes("a.csv", text, { schemas: schemaOf(columns, declared), rules: { policy } });

test("evolve: columns are matched by name, new ones are added with new ids, missing ones are null", async () => {
  const result = await under("evolve", { a: "int64", b: "text" }, "c,a\n1.5,7\n");
  expect(loaded(result.outcome).tables[0]).toMatchObject({ change: "added", widened: [], schema: { lastId: 3 } });
  expect(await rowsOf(result)).toEqual([{ a: 7n, b: null, c: 1.5 }]);
  expect(
    metadataOf(result.parts[0])
      .schema.slice(1)
      .map(({ name, field_id }) => [name, field_id]),
  ).toEqual([
    ["a", 1],
    ["b", 2],
    ["c", 3],
  ]);
});

test("evolve: the same columns change nothing", async () => {
  const { outcome } = await under("evolve", { a: "int64", b: "text" }, "a,b\n1,x\n");
  expect(loaded(outcome).tables[0]).toMatchObject({ change: "none", widened: [] });
});

test.each([
  ["int64", "1.5", "double"],
  ["int64", "9223372036854775808", "decimal(38,0)"],
  ["int64", "1234567890123456.789", "decimal(38,3)"],
  ["date", "2024-01-01 10:00:00", "timestamp(false,us)"],
  ["timestamp", "2024-01-01 10:00:00.123456789", "timestamp(false,ns)"],
  ["decimal(38,2)", "0.1234", "decimal(38,4)"],
  ["unknown", "hello", "text"],
])("evolve: a %s column that meets %s widens to %s", async (type, value, wide) => {
  const { outcome } = await under("evolve", { a: type }, `a\n${value}\n`);
  expect(typesOf(outcome)).toEqual({ a: wide });
  expect(loaded(outcome).tables[0]).toMatchObject({ change: "widened", widened: ["a"] });
});

test("evolve: text never widens a number, it is rejected, while a number beside it still widens", async () => {
  const result = await under("evolve", { a: "int64" }, `a\nabc\n1.5\n${"1\n".repeat(20)}`);
  expect(typesOf(result.outcome)).toEqual({ a: "double" });
  expect(loaded(result.outcome).counts).toMatchObject({ loaded: 21, rejected: 1 });
});

test("evolve: a declared column is never widened", async () => {
  const result = await under("evolve", { a: "int64" }, `a\n1.5\n${"007\n".repeat(20)}`, true);
  expect(loaded(result.outcome)).toMatchObject({ tables: [{ change: "none" }], counts: { loaded: 20, rejected: 1 } });
  expect((await rowsOf(result))[0]).toEqual({ a: 7n });
});

test("a number column found, not declared, rejects what it would change", async () => {
  const { outcome, rejects } = await under("evolve", { a: "int64" }, `a\n007\n+5\n${"1\n".repeat(20)}`);
  expect(loaded(outcome).counts.rejected).toBe(2);
  expect(rejects.map((reject) => reject["reason"])).toEqual(['"007" is no int64', '"+5" is no int64']);
});

test("strict: an unknown or a missing column fails the file, and nothing widens", async () => {
  const unknown = failedWith((await under("strict", { a: "int64" }, "a,b\n1,2\n")).outcome).fault;
  expect(unknown).toMatchObject({ code: "schema_mismatch", field: "b" });
  const missing = failedWith((await under("strict", { a: "int64", b: "text" }, "a\n1\n")).outcome).fault;
  expect(missing).toMatchObject({ code: "schema_mismatch", field: "b" });
  expect(loaded((await under("strict", { a: "int64" }, `a\n1.5\n${"1\n".repeat(20)}`)).outcome)).toMatchObject({ counts: { rejected: 1 } });
});

test("coerce: the schema stays as it is, columns beyond it are left out with a warning", async () => {
  const result = await under("coerce", { a: "int64" }, "a,b\n1,2\n");
  expect(loaded(result.outcome)).toMatchObject({ tables: [{ change: "none" }], counts: { loaded: 1, warnings: 1 } });
  expect(await rowsOf(result)).toEqual([{ a: 1n }]);
});

test("coerce: a value that does not fit is null and a counted warning, whatever row it is in", async () => {
  const result = await under("coerce", { a: "int64", b: "date" }, "a,b,extra\nx,2026-01-01,1\n2,no,2\n3,2026-01-03\n");
  expect(loaded(result.outcome).counts).toEqual({ read: 3, loaded: 3, rejected: 0, skipped: 0, warnings: 4 });
  expect(await rowsOf(result)).toEqual([
    { a: null, b: new Date("2026-01-01") },
    { a: 2n, b: null },
    { a: 3n, b: new Date("2026-01-03") },
  ]);
  expect(
    failedWith(
      (await convertBytes("a.csv", "a\nx\n", { schemas: schemaOf({ a: "int64" }), rules: { policy: "coerce", onBadRow: "strict" } }))
        .outcome,
    ).fault.code,
  ).toBe("bad_row");
});

test("off: a column whose types clash is text from now on, a numeric widening stays one", async () => {
  const clash = await under("off", { a: "int64" }, "a\nabc\n007\n");
  expect(loaded(clash.outcome).tables[0]).toMatchObject({ change: "widened", widened: ["a"] });
  expect(await rowsOf(clash)).toEqual([{ a: "abc" }, { a: "007" }]);
  expect(typesOf((await under("off", { a: "int64" }, "a\n1.5\n")).outcome)).toEqual({ a: "double" });
  expect(typesOf((await under("off", { a: "date" }, "a,b\n12:30:00,1\n", true)).outcome)).toEqual({ a: "text", b: "int64" });
});

test("include_columns takes some columns in its own order, column_mapping renames, column_types speaks of the new names", async () => {
  const options = {
    include_columns: ["c", 0, "zip"],
    include_missing_columns: true,
    column_mapping: { c: "total", zip: "__proto__" },
    column_types: { total: parseType("decimal(10,2)", "") },
  };
  const result = await convertBytes("a.csv", "a,b,c,zip\n1,x,2.50,007\n", {
    options: { ...options, include_columns: [...options.include_columns, "later"] },
  });
  expect(Object.entries(typesOf(result.outcome))).toEqual([
    ["total", "decimal(10,2)"],
    ["a", "int64"],
    ["__proto__", "text"],
    ["later", "unknown"],
  ]);
  expect(await duck(result.parts, 'select total::varchar t, a, "__proto__" p, later from parts')).toEqual([
    { t: "2.50", a: "1", p: "007", later: null },
  ]);
});

test.each([
  [{ include_columns: ["z"] }, /include_columns names column "z", which the file does not have/],
  [{ include_columns: [7] }, /include_columns names a column at position 7/],
  [{ column_mapping: { z: "y" } }, /column_mapping names column "z"/],
  [{ column_mapping: { a: "b" } }, /two columns named "b"/],
  [{ column_mapping: { a: "_row" } }, /a column named _row/],
])("%j fails the file", async (options, message) => {
  expect(failedWith((await convertBytes("a.csv", "a,b\n1,2\n", { options })).outcome).fault).toMatchObject({
    code: "schema_mismatch",
    message: expect.stringMatching(message),
  });
});

test("rescued: what fits no column is kept as JSON beside the row, and the row is loaded", async () => {
  const result = await convertBytes("a.csv", "a,b,__proto__\nx,1,p\n2,,q\n", {
    schemas: schemaOf({ a: "int64", b: "int64", _rescued: "text" }),
    rules: { policy: "coerce" },
    options: { rescued: true },
  });
  expect(loaded(result.outcome).counts).toMatchObject({ loaded: 2, rejected: 0 });
  expect((await rowsOf(result)).map((row) => row["_rescued"])).toEqual(['{"__proto__":"p","a":"x"}', '{"__proto__":"q"}']);
  const fresh = await convertBytes("a.csv", `a\nx\n${"1\n".repeat(20)}`, {
    schemas: schemaOf({ a: "int64" }),
    options: { rescued: true, lineage: true },
  });
  expect(loaded(fresh.outcome)).toMatchObject({ tables: [{ change: "added" }], counts: { loaded: 21, rejected: 0, warnings: 1 } });
  expect((await rowsOf(fresh))[0]).toMatchObject({ a: null, _row: 1n, _rescued: '{"a":"x"}' });
});

test("rescued and lineage columns that an upload asks for are added under coerce too, the file's own are not", async () => {
  const result = await convertBytes("a.csv", "a,b\nx,p\n2,q\n", {
    schemas: schemaOf({ a: "int64" }),
    rules: { policy: "coerce" },
    options: { rescued: true, lineage: true },
  });
  expect(Object.keys(typesOf(result.outcome))).toEqual(["a", "_file_id", "_row", "_loaded_at", "_rescued"]);
  expect(loaded(result.outcome)).toMatchObject({ tables: [{ change: "added" }], counts: { loaded: 2, rejected: 0 } });
  expect(await rowsOf(result)).toMatchObject([
    { a: null, _row: 1n, _rescued: '{"b":"p","a":"x"}' },
    { a: 2n, _row: 2n, _rescued: '{"b":"q"}' },
  ]);
});

test("remake: exactly the given schema, whatever the file would make of it, and never too many rejects", async () => {
  const result = await convertBytes("a.csv", "a,b,c\n1,2,3\nx,5,6\ny,5,6\n", {
    schemas: schemaOf({ b: "text", a: "double", z: "date" }),
    mode: "remake",
    rules: { onBadRow: "strict" },
  });
  expect(typesOf(result.outcome)).toEqual({ b: "text", a: "double", z: "date" });
  expect(loaded(result.outcome)).toMatchObject({ counts: { read: 3, loaded: 1, rejected: 2 }, tables: [{ change: "none" }] });
  expect(await rowsOf(result)).toEqual([{ b: "2", a: 1, z: null }]);
});

test("column_types declare columns of a new table, and contradict an existing one", async () => {
  const options = { column_types: { zip: parseType("text", ""), price: parseType("decimal(10,2)", "") } };
  const result = await convertBytes("a.csv", "zip,price\n123,1.5\n", { options });
  expect(typesOf(result.outcome)).toEqual({ zip: "text", price: "decimal(10,2)" });
  expect(loaded(result.outcome).tables[0]?.schema.columns.map((column) => column.declared)).toEqual([true, true]);
  expect(await duck(result.parts, "select zip, price::varchar p from parts")).toEqual([{ zip: "123", p: "1.50" }]);
  const clash = await convertBytes("a.csv", "zip,price\n1,1\n", { options, schemas: schemaOf({ zip: "int64" }) });
  expect(failedWith(clash.outcome).fault).toMatchObject({ code: "schema_mismatch", field: "zip" });
  const unknown = await convertBytes("a.csv", "a\n1\n", { options });
  expect(failedWith(unknown.outcome).fault).toMatchObject({ code: "schema_mismatch", field: "zip" });
});

test("a column that turns from integer to text at row 1,000,001 is text from row 1, nothing lost", async () => {
  let text = "id,v\n";
  for (let i = 1; i <= 1_000_000; i++) text += `${i},${i}\n`;
  text += "1000001,abc\n";
  const result = await convertBytes("a.csv", text);
  expect(typesOf(result.outcome)).toEqual({ id: "int64", v: "text" });
  const [row] = await duck(result.parts, "select count(*)::int n, sum(id)::varchar s, count(distinct v)::int d, max(v) m from parts");
  expect(row).toEqual({ n: 1_000_001, s: String((1_000_001 * 1_000_002) / 2), d: 1_000_001, m: "abc" });
}, 60_000);

test("a file beyond the part size becomes several parts whose metadata adds up", async () => {
  let text = "id,v\n";
  for (let i = 1; i <= 400_000; i++) text += `${i},${(i * 2_654_435_761) % 4_294_967_291}${i}\n`;
  const result = await convertBytes("a.csv", text, { limits: { partBytes: 500_000 } });
  const { parts, counts } = loaded(result.outcome);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.reduce((sum, part) => sum + part.rows, 0)).toBe(counts.loaded);
  expect(parts.map((part) => part.bytes)).toEqual(result.parts.map((part) => part.length));
  const read = result.parts.map((part) => metadataOf(part).key_value_metadata?.find(({ key }) => key === "sluice.rows_read")?.value);
  expect(read.reduce((sum, value) => sum + Number(value), 0)).toBe(counts.read);
  expect(await duck(result.parts, "select count(distinct id)::int n from parts")).toEqual([{ n: 400_000 }]);
}, 60_000);

test.each([true, false])("rows rejected behind the last row of a full part count to that part, short way %s", async (direct) => {
  const asked = { how: { direct }, limits: { partBytes: 1 }, rules: { maxRejects: { share: 0.9 } } };
  const result = await convertBytes("a.csv", `a,b\n${"1,2\n".repeat(130_000)}${"3\n".repeat(20_000)}`, asked);
  const { counts } = loaded(result.outcome);
  expect(counts).toMatchObject({ read: 150_000, loaded: 130_000, rejected: 20_000 });
  expect(result.parts.length).toBeGreaterThan(1);
  const sum = (key: string) =>
    result.parts.reduce((all, part) => all + Number(metadataOf(part).key_value_metadata?.find((pair) => pair.key === key)?.value), 0);
  expect(["read", "loaded", "rejected"].map((what) => sum(`sluice.rows_${what}`))).toEqual([150_000, 130_000, 20_000]);
});

test("too many columns are refused by name of the limit", async () => {
  const { fault } = failedWith((await convertBytes("a.csv", `${Array(101).fill("a").join(",")}\n`, { limits: { columns: 100 } })).outcome);
  expect(fault).toMatchObject({ code: "limit_exceeded", field: "columns", value: 101, limit: 100 });
});

test("a thousand columns are read, typed and written", async () => {
  const width = 1_000;
  const header = Array.from({ length: width }, (_, i) => `c${i}`).join(",");
  const row = (seed: number) => Array.from({ length: width }, (_, i) => String(seed + i)).join(",");
  const result = await convertBytes("a.csv", `${header}\n${[1, 2, 3, 4, 5].map(row).join("\n")}\n`);
  expect(loaded(result.outcome).counts.loaded).toBe(5);
  expect(await duck(result.parts, "select c0::int a, c999::int z from parts order by 1 limit 1")).toEqual([{ a: 1, z: 1_000 }]);
}, 60_000);

test("the row that widens a column is named, by the short way and by the long one", async () => {
  const schemas = schemaOf({ n: "int64", at: "date", t: "text" });
  const text = `n,at,t\n1,2026-01-01,a\n2,2026-01-02 00:00:00,b\nx,2026-01-03,c\n3.5,2026-01-04 01:00:00,d\n4.5,,e\n`;
  for (const direct of [true, false]) {
    const { outcome } = await convertBytes("a.csv", text, { schemas, rules: { maxRejects: { rows: 1 } }, how: { direct } });
    expect(loaded(outcome).tables[0]).toMatchObject({ change: "widened", widened: ["n", "at"], widenedAt: { n: 4, at: 4 } });
    expect(loaded(outcome).detected.widened).toEqual([
      { table: "main", column: "n", row: 4 },
      { table: "main", column: "at", row: 4 },
    ]);
  }
});
