import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { convertBytes, duck, failedWith, loaded, typesOf } from "./convert-kit.ts";
import { openArrowBytes } from "./scores/arrow.ts";
import { difference, type Facts } from "./scores/facts.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/arrow");
const read = (name: string) => readFileSync(join(FIXTURES, name));
const expected = JSON.parse(read("expected.json").toString()) as Record<string, Facts>;

test.each(Object.keys(expected))("%s is read as pyarrow reads it", async (name) => {
  expect(await difference(await openArrowBytes(read(name)), expected[name] as Facts)).toBeNull();
});

test.each(["canonical.arrow", "canonical.arrows", "canonical-lz4.arrow", "canonical-zstd.arrows"])(
  "%s comes out with canonical types",
  async (name) => {
    const { outcome, parts } = await convertBytes(name, read(name));
    expect(loaded(outcome).detected).toMatchObject({ format: "arrow", compression: "none" });
    expect(typesOf(outcome)).toEqual({
      ...Object.fromEntries(["i8", "u8", "i16", "u16", "i32", "u32", "i64", "duration"].map((column) => [column, "int64"])),
      ...Object.fromEntries(["f16", "f32", "f64", "dictionary_u8"].map((column) => [column, "double"])),
      ...Object.fromEntries(["text", "large_text", "text_view", "dictionary", "runs", "d256_wide"].map((column) => [column, "text"])),
      ...Object.fromEntries(["binary", "large_binary", "binary_view", "fixed"].map((column) => [column, "binary"])),
      ...Object.fromEntries(["time_s", "time_ms", "time_us"].map((column) => [column, "time"])),
      bool: "bool",
      u64: "decimal(38,0)",
      d32: "decimal(9,2)",
      d64: "decimal(18,2)",
      d128: "decimal(38,3)",
      d256: "decimal(38,0)",
      date32: "date",
      date64: "date",
      ts_s: "timestamp(false,us)",
      ts_ms: "timestamp(false,us)",
      ts_us: "timestamp(true,us)",
      ts_ns: "timestamp(true,ns)",
      null: "unknown",
    });
    const first =
      "select u64::varchar u64, d128::varchar d128, d256_wide, time_s::varchar time_s, ts_ns::varchar ts_ns, binary_view from parts limit 1";
    expect(await duck(parts, first)).toEqual([
      {
        u64: "18446744073709551615",
        d128: "12345678901234567890123456789012345.678",
        d256_wide: `${"1234567890".repeat(6)}.0`,
        time_s: "23:59:00",
        ts_ns: "2001-09-09 01:46:40+00",
        binary_view: "\\x00".repeat(20),
      },
    ]);
  },
);

test("nested columns stay nested, intervals and unions as structs, nulls at every level", async () => {
  const { outcome, parts } = await convertBytes("nested.arrow", read("nested.arrow"));
  expect(loaded(outcome).counts).toMatchObject({ read: 10, loaded: 10, warnings: 0 });
  const rows = await duck(parts, "select columns(*)::varchar from parts where i in (1, 2)");
  expect(rows).toMatchObject([
    {
      list: "[1]",
      large_list: "[x]",
      list_view: "[1]",
      fixed_list: "[1.0, 2.0]",
      struct: "{'a': 1, 'b': {'c': x1}}",
      map: "{k1=0.5}",
      of_dictionary: "[b]",
      of_times: "['2024-01-01 00:00:01']",
      of_durations: "[1]",
      interval: "{'months': 1, 'days': -1, 'nanoseconds': 1000000000}",
      sparse_union: "{'type_id': 1, 'number': NULL, 'text': t1}",
      dense_union: "{'type_id': 5, 'number': 0, 'text': NULL}",
    },
    { list: null, fixed_list: null, struct: null, map: null, interval: null, sparse_union: "{'type_id': 0, 'number': 2, 'text': NULL}" },
  ]);
  const flat = await convertBytes("nested.arrow", read("nested.arrow"), { options: { nested: "flatten" } });
  expect(typesOf(flat.outcome)).toMatchObject({
    "struct.b.c": "text",
    "interval.months": "int64",
    "dense_union.type_id": "int64",
    map: "text",
  });
});

test("names that are alike, empty or peculiar become columns of their own", async () => {
  const { outcome, parts } = await convertBytes("names.arrows", read("names.arrows"));
  expect(Object.keys(typesOf(outcome))).toEqual(["a", "a_1", "column_3", "__proto__"]);
  expect(await duck(parts, 'select a, a_1, column_3, "__proto__" p from parts')).toEqual([{ a: "1", a_1: "x", column_3: "2", p: "3" }]);
});

test("a stream is told by its first message, a file by its magic, whatever they are named", async () => {
  for (const name of ["canonical.arrow", "canonical.arrows", "before-0.15.arrows", "v2.feather"]) {
    const { outcome } = await convertBytes("unnamed", read(name));
    expect(loaded(outcome).detected).toMatchObject({ format: "arrow", by: "magic" });
  }
});

test("gzip around a file or a stream makes no difference", async () => {
  for (const name of ["canonical.arrow", "many-rows.arrows"]) {
    const [plain, zipped] = [await convertBytes(name, read(name)), await convertBytes(`${name}.gz`, gzipSync(read(name)))];
    const sql = "select columns(*)::varchar from parts";
    expect(await duck(zipped.parts, sql)).toEqual(await duck(plain.parts, sql));
  }
});

test("a large batch is read in windows of some thousand rows, each row once and in order", async () => {
  const { tables } = await openArrowBytes(read("many-rows.arrows"));
  const numbers: number[] = [];
  for await (const batch of tables[0]?.batches() ?? []) {
    expect(batch.rows).toBeLessThanOrEqual(8_192);
    numbers.push(...batch.rowNumbers);
  }
  expect(numbers).toEqual(Array.from({ length: 25_000 }, (_, i) => i + 1));
});

test.each(["large-batch.arrow", "large-batch.arrows"])("%s, too large to be held, is read a window of rows at a time", async (name) => {
  const limits = { heldBytes: 9_000 };
  expect(read(name).length).toBeGreaterThan(2 * limits.heldBytes);
  expect(await difference(await openArrowBytes(read(name), limits), expected[name] as Facts)).toBeNull();
  let batches = 0;
  for await (const _ of (await openArrowBytes(read(name), limits)).tables[0]?.batches() ?? []) batches++;
  expect(batches).toBeGreaterThan(4);
  // What is decompressed first cannot be read where it lies.
  const { fault } = failedWith((await convertBytes(`${name}.gz`, gzipSync(read(name)), { limits })).outcome);
  expect(fault).toMatchObject({ code: "limit_exceeded", field: "heldBytes" });
});

test.each([1, 2, 7, 64, 1_000])("a stream cut at %i bytes from its end is no whole file", async (bytes) => {
  const whole = read("canonical-zstd.arrows");
  // The last eight bytes only say that nothing follows: a stream may end without them.
  const { outcome } = await convertBytes("a.arrows", whole.subarray(0, whole.length - 8 - bytes));
  expect(failedWith(outcome).fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/cut off/) });
});

test("what follows the end of a stream is not lost without a word", async () => {
  const twice = Buffer.concat([read("canonical.arrows"), read("canonical.arrows")]);
  const { fault } = failedWith((await convertBytes("a.arrows", twice)).outcome);
  expect(fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/more bytes follow/) });
});

test("Feather of version 1 is refused by name", async () => {
  const { fault } = failedWith((await convertBytes("v1.feather", read("v1.feather"))).outcome);
  expect(fault).toMatchObject({ code: "unsupported_format", message: expect.stringMatching(/version 1/) });
});

test("a file without columns brings no part, which no reader could open; with columns in the table it brings theirs", async () => {
  const bytes = read("no-columns.arrow");
  const alone = await convertBytes("a.arrow", bytes);
  expect(loaded(alone.outcome)).toMatchObject({ counts: { read: 0, loaded: 0 }, parts: [] });
  const main = { columns: [{ id: 1, name: "a", type: { kind: "int64" }, declared: false }], lastId: 1 } as const;
  const known = await convertBytes("a.arrow", bytes, { schemas: { main } });
  expect(await duck(known.parts, "select count(a)::int n from parts")).toEqual([{ n: 0 }]);
});
