import { expect, test } from "vitest";
import type { TableSchemas } from "../../packages/core/src/domain/table-schema.ts";
import { convertBytes, failedWith, loaded, rowsOf, typesOf } from "./convert-kit.ts";

const SCHEMAS: TableSchemas = {
  main: {
    columns: [
      { id: 1, name: "id", type: { kind: "int64" }, declared: false },
      { id: 2, name: "name", type: { kind: "text" }, declared: false },
    ],
    lastId: 2,
  },
};
const rows = (count: number) => Array.from({ length: count }, (_, i) => `${i},n${i}\n`).join("");
const BAD = `id,name\n${rows(20)}abc,bad\n${rows(5)}`;

test("quarantine keeps a bad row with its column, value, place and reason, and loads the others", async () => {
  const result = await convertBytes("a.csv", BAD, { schemas: SCHEMAS });
  expect(loaded(result.outcome).counts).toEqual({ read: 26, loaded: 25, rejected: 1, skipped: 0, warnings: 0 });
  expect(typesOf(result.outcome)).toEqual({ id: "int64", name: "text" });
  const reject = { row: 21, table: "main", column: "id", raw: "abc", reason: '"abc" is no int64' };
  expect(loaded(result.outcome).rejects).toEqual([{ ...reject, byteOffset: BAD.indexOf("abc") }]);
  expect(result.rejects).toEqual([{ ...reject, byte_offset: BAD.indexOf("abc"), line: 22, record: "abc,bad" }]);
  expect(await rowsOf(result)).toHaveLength(25);
});

test("byte offsets count bytes, not characters", async () => {
  const text = `id,name\n${"1,žluťoučký\n".repeat(30)}abc,bad\n2,ž\nxyz,bad\n${"1,ž\n".repeat(10)}`;
  const result = await convertBytes("a.csv", text, { schemas: SCHEMAS });
  expect(result.rejects.map((reject) => reject["byte_offset"])).toEqual([
    Buffer.byteLength(text.slice(0, text.indexOf("abc"))),
    Buffer.byteLength(text.slice(0, text.indexOf("xyz"))),
  ]);
});

test("strict fails the file at its first bad row, naming line, column and value", async () => {
  const { outcome } = await convertBytes("a.csv", BAD, { schemas: SCHEMAS, rules: { onBadRow: "strict" } });
  const failure = failedWith(outcome);
  expect(failure.fault).toMatchObject({
    code: "bad_row",
    message: 'row 21, line 22, column "id": "abc" is no int64',
    field: "id",
    value: "abc",
  });
  expect(failure.counts).toEqual({ read: 26, loaded: 0, rejected: 1, skipped: 25, warnings: 0 });
});

test("coerce makes a bad value null and counts a warning; ragged rows are cut and filled", async () => {
  const result = await convertBytes("a.csv", "id,name\nabc,x\n2\n3,z,more\n", { schemas: SCHEMAS, rules: { onBadRow: "coerce" } });
  expect(loaded(result.outcome).counts).toEqual({ read: 3, loaded: 3, rejected: 0, skipped: 0, warnings: 3 });
  expect(await rowsOf(result)).toEqual(
    [
      { id: undefined, name: "x" },
      { id: 2n, name: undefined },
      { id: 3n, name: "z" },
    ].map(({ id, name }) => ({ id: id ?? null, name: name ?? null })),
  );
});

test("more rejects than max_rejects fail the file, the example in the message", async () => {
  const text = `id,name\n${rows(8)}abc,bad\n`;
  const { fault, counts, rejects } = failedWith((await convertBytes("a.csv", text, { schemas: SCHEMAS })).outcome);
  expect(fault).toMatchObject({
    code: "too_many_rejects",
    value: 1,
    limit: 0.1,
    message: expect.stringMatching(/1 of 9 rows.*10 %.*"abc" is no int64/),
  });
  expect(counts).toEqual({ read: 9, loaded: 0, rejected: 1, skipped: 8, warnings: 0 });
  expect(rejects).toHaveLength(1);
  const allowed = await convertBytes("a.csv", text, { schemas: SCHEMAS, rules: { maxRejects: { rows: 1 } } });
  expect(loaded(allowed.outcome).counts.loaded).toBe(8);
});

test("a file none of whose rows fit fails as nothing_loaded, whatever max_rejects says", async () => {
  const { fault } = failedWith(
    (await convertBytes("a.csv", "id,name\nx,y\n", { schemas: SCHEMAS, rules: { maxRejects: { share: 1 } } })).outcome,
  );
  expect(fault.code).toBe("nothing_loaded");
});

test("rejects beyond 100 are in the object, not in the record; values are cut at 200 characters", async () => {
  const text = `id,name\n${rows(2000)}${`${"y".repeat(300)},bad\n`.repeat(150)}`;
  const result = await convertBytes("a.csv", text, { schemas: SCHEMAS });
  expect(loaded(result.outcome).rejects).toHaveLength(100);
  expect(result.rejects).toHaveLength(150);
  expect(result.rejects[0]).toMatchObject({ raw: `${"y".repeat(200)}…`, record: `${"y".repeat(300)},bad` });
  expect(loaded(result.outcome).rejectsBytes).toBeGreaterThan(150 * 300);
});

test("an unclosed quote names the line on which it opened", async () => {
  const { fault, counts } = failedWith((await convertBytes("a.csv", 'id,name\n1,"x\ny"\n2,"never\nclosed\n')).outcome);
  expect(fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/^line 4: a quote opens/), value: 4 });
  expect(counts.read).toBe(counts.skipped);
});

test("options: no header, skipped rows, other quotes, null values, declared types", async () => {
  const result = await convertBytes("a.csv", "# made by x\n\n1,'a,b',NA\n007,-,3\n", {
    options: { header: false, skip_rows: 2, quote: "'", null_values: ["NA", "-"], column_types: { column_1: { kind: "text" } } },
  });
  expect(typesOf(result.outcome)).toEqual({ column_1: "text", column_2: "text", column_3: "int64" });
  expect(await rowsOf(result)).toEqual([
    { column_1: "1", column_2: "a,b", column_3: null },
    { column_1: "007", column_2: null, column_3: 3n },
  ]);
});

test("lineage columns say file, row and time; rejected rows leave gaps in _row", async () => {
  const result = await convertBytes("a.csv", `id,name\n${rows(10)}abc,x\n11,y\n`, { schemas: SCHEMAS, options: { lineage: true } });
  expect(typesOf(result.outcome)).toEqual({ id: "int64", name: "text", _file_id: "text", _row: "int64", _loaded_at: "timestamp(true,us)" });
  expect((await rowsOf(result)).at(-1)).toEqual({
    id: 11n,
    name: "y",
    _file_id: "0197c0de-0000-7000-8000-000000000001",
    _row: 12n,
    _loaded_at: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
  });
});
