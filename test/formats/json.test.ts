import { describe, expect, test } from "vitest";
import { RecordReader } from "../../packages/core/src/formats/json/records.ts";
import { convertBytes, failedWith, loaded, rowsOf, typesOf } from "./convert-kit.ts";
import { fuzz } from "../fuzz/json.ts";
import { corpus } from "./corpus.ts";
import { inputOf } from "./json-kit.ts";
import { scoreJson } from "./scores/json.ts";

const LENIENT = { rules: { maxRejects: { share: 1 } } } as const;

describe("strict JSON", () => {
  const folder = corpus("json-test-suite");
  const scored = folder === null ? null : scoreJson(folder);

  test.runIf(folder !== null)(
    "takes all 95 documents of JSONTestSuite that must be taken, refuses all 188 that must be refused",
    async () => {
      const score = (await scored)!;
      expect(score.taken).toEqual({ of: 95, wrong: [] });
      expect(score.refused).toEqual({ of: 188, wrong: [] });
    },
  );

  test.runIf(folder !== null)("reads the 13 of them that are tables, and none that must be refused", async () => {
    const { tables, readAllTheSame } = (await scored)!;
    expect({ tables, readAllTheSame }).toEqual({ tables: 13, readAllTheSame: [] });
  });

  test("mutated documents are read or refused, and nothing else happens", async () => {
    const { read, refused } = await fuzz(1, 800);
    expect(read).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });
});

describe("rows", () => {
  test("a broken line is a reject with its line, offset and reason, and the next line goes on", async () => {
    const result = await convertBytes("a.ndjson", '{"a":1}\n{"a":\n\n7\n{"a":2}', LENIENT);
    expect(await rowsOf(result)).toEqual([{ a: 1n }, { a: 2n }]);
    expect(result.rejects).toMatchObject([
      { row: 2, line: 2, byte_offset: 8, reason: "byte 13: it ends too early", record: '{"a":' },
      { row: 3, line: 4, byte_offset: 15, reason: "a row must be an object, this is a number", record: "7" },
    ]);
  });

  test("a syntax error in an array of rows names its line, column and byte, and nothing is loaded", async () => {
    const { fault, counts } = failedWith((await convertBytes("a.json", '[{"a":1},\n {"a":2,}]')).outcome);
    expect(fault).toMatchObject({
      code: "unreadable",
      message: "no readable JSON: line 2, column 9 (byte 18): a key must begin here",
      value: 18,
    });
    expect(counts).toMatchObject({ read: 0, loaded: 0 });
  });

  test("a file of which no line is a row says what is wrong with the first", async () => {
    const { fault } = failedWith((await convertBytes("a.ndjson", "id,name\n1,x\n")).outcome);
    expect(fault.message).toBe(
      "no readable JSON: none of the rows holds a value; the first that is none is row 1: byte 0: a value must begin here",
    );
  });

  test("bombs are refused by a named limit: nesting, long rows, keys without end", async () => {
    const limits = { recordBytes: 100_000, columns: 500 };
    const of = async (text: string, name = "a.json") => failedWith((await convertBytes(name, text, { limits })).outcome).fault;
    expect(await of("[".repeat(1_000_000))).toMatchObject({ code: "limit_exceeded", field: "jsonDepth", limit: 128 });
    expect(await of('{"a":'.repeat(10_000), "a.ndjson")).toMatchObject({ code: "limit_exceeded", field: "jsonDepth" });
    expect(await of(`{"a":"${"x".repeat(200_000)}"}`, "a.ndjson")).toMatchObject({ code: "limit_exceeded", field: "recordBytes" });
    expect(await of(`[{"a":"${"x".repeat(200_000)}"}]`)).toMatchObject({ code: "limit_exceeded", field: "recordBytes" });
    const keys = Array.from({ length: 600 }, (_, i) => `{"k${i}":1}`).join("\n");
    expect(await of(keys, "a.ndjson")).toMatchObject({ code: "limit_exceeded", field: "columns", limit: 500 });
  });

  test("a row of thousands of keys after thousands of rows of one costs no more memory than its cells", async () => {
    const narrow = '{"a":1}\n'.repeat(8_000);
    const wide = `{${Array.from({ length: 10_000 }, (_, i) => `"k${i}":${i}`).join(",")}}\n`;
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let rows = 0;
    for (const text of [narrow + wide, `[${(narrow + wide).trimEnd().replaceAll("\n", ",")}]`]) {
      const reader = new RecordReader({
        layout: text.startsWith("[") ? "array" : "lines",
        limits: inputOf(Buffer.from(""), 1).limits,
        ragged: "misfit",
      });
      for await (const { cells, rowNumbers } of reader.batches(inputOf(Buffer.from(text), text.length).decoded())) {
        rows += cells.rows;
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        expect(rowNumbers).toHaveLength(cells.rows);
      }
    }
    expect(rows).toBe(16_002);
    expect(most).toBeLessThan(100e6);
  });

  test("objects that are maps, and lists of objects too sparse to be columns, are JSON text", async () => {
    const maps = Array.from({ length: 400 }, (_, i) => `{"m":{"u${i}":{"x":${i}}}}`).join("\n");
    expect(typesOf((await convertBytes("a.ndjson", maps)).outcome)).toEqual({ m: "text" });
    const fields = Array.from({ length: 250 }, (_, i) => `"f${i}":1`).join(",");
    const sparse = `{"l":[{${fields}}]}\n{"l":[${"{},".repeat(100_000)}{}]}\n`;
    expect(typesOf((await convertBytes("a.ndjson", sparse)).outcome)).toEqual({ l: "text" });
  });

  test("max_rows loads no more rows and counts the others as skipped; infer_dates false leaves dates text", async () => {
    const text = '{"d":"2026-01-01"}\n{"d":"2026-01-02"}\n{"d":"2026-01-03"}\n';
    const most = await convertBytes("a.ndjson", text, { options: { max_rows: 2 } });
    expect(loaded(most.outcome).counts).toMatchObject({ read: 3, loaded: 2, skipped: 1 });
    expect(typesOf((await convertBytes("a.ndjson", text, { options: { infer_dates: false } })).outcome)).toEqual({ d: "text" });
  });

  test("declared types take the numbers as they are written", async () => {
    const types = { p: { kind: "decimal", precision: 9, scale: 3 }, t: { kind: "text" }, o: { kind: "text" } } as const;
    const result = await convertBytes("a.json", '[{"p":1.10,"t":1.50,"o":{"a": 1}},{"p":2}]', { options: { column_types: types } });
    expect((await rowsOf(result)).map(({ t, o }) => [t, o])).toEqual([
      ["1.50", '{"a": 1}'],
      [null, null],
    ]);
    expect(typesOf(result.outcome)).toMatchObject({ p: "decimal(9,3)" });
  });

  test("types hold every value of the file: numbers widen, ISO dates in texts are dates, numbers in texts stay text", async () => {
    const rows = [
      '{"n":1,"x":1,"big":12345678901234567890,"d":"2026-01-01","t":"2026-01-01T00:00:00Z","id":"007","m":1,"b":true}',
      '{"n":2,"x":2.5,"big":1,"d":"2026-01-02","t":"2026-01-01T00:00:00.5+01:00","id":"8","m":"a","b":false}',
    ];
    const result = await convertBytes("a.json", `[${rows.join(",")}]`);
    expect(typesOf(result.outcome)).toEqual({
      n: "int64",
      x: "double",
      big: "decimal(38,0)",
      d: "date",
      t: "timestamp(true,us)",
      id: "text",
      m: "text",
      b: "bool",
    });
    expect((await rowsOf(result)).map(({ id, m }) => [id, m])).toEqual([
      ["007", "1"],
      ["8", "a"],
    ]);
  });

  test("rows may stand one behind the other, over lines or without any", async () => {
    const result = await convertBytes("a.json", '{"a":1}{"a":2}\n{\n "b": "x"\n}');
    expect(await rowsOf(result)).toEqual([
      { a: 1n, b: null },
      { a: 2n, b: null },
      { a: null, b: "x" },
    ]);
    expect(loaded(result.outcome).counts).toMatchObject({ read: 3, loaded: 3 });
  });
});
