import * as sheetjs from "@e965/xlsx";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readWorkbookFile } from "../../packages/core/src/formats/xlsx/open-workbook.ts";
import { convertBytes, failedWith, loaded, rowsOf, typesOf } from "./convert-kit.ts";
import { partsOf, workbookInput, workbookOf } from "./workbook-kit.ts";
import { zipOf } from "./zip-kit.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures/xlsx", name));

/** A workbook of one sheet per entry, as SheetJS writes it. */
function workbook(sheets: Record<string, unknown[][]>): Buffer {
  const book = sheetjs.utils.book_new();
  for (const [name, rows] of Object.entries(sheets)) {
    sheetjs.utils.book_append_sheet(book, sheetjs.utils.aoa_to_sheet(rows, { cellDates: true, UTC: true }), name);
  }
  return sheetjs.write(book, { type: "buffer", bookType: "xlsx", bookSST: true }) as Buffer;
}

test("a workbook becomes typed Parquet: whole numbers, numbers, dates, booleans and text", async () => {
  const result = await convertBytes(
    "a.xlsx",
    workbook({
      Sales: [
        ["id", "name", "price", "day", "ok"],
        [1, "ann", 1.5, new Date(Date.UTC(2024, 1, 29)), true],
        [2, "bob <&>", 0.1 + 0.2, new Date(Date.UTC(2024, 2, 1)), false],
        [],
        [3],
      ],
    }),
  );
  const { counts, tables } = loaded(result.outcome);
  expect(counts).toEqual({ read: 3, loaded: 3, rejected: 0, skipped: 0, warnings: 0 });
  expect(tables.map(({ table }) => table)).toEqual(["main"]);
  expect(typesOf(result.outcome)).toEqual({ id: "int64", name: "text", price: "double", day: "date", ok: "bool" });
  expect(await rowsOf(result)).toEqual([
    { id: 1n, name: "ann", price: 1.5, day: new Date("2024-02-29"), ok: true },
    { id: 2n, name: "bob <&>", price: 0.1 + 0.2, day: new Date("2024-03-01"), ok: false },
    { id: 3n, name: null, price: null, day: null, ok: null },
  ]);
});

test("a column of different kinds is text, as its cells read", async () => {
  const result = await convertBytes("a.xlsx", workbook({ A: [["mix"], [1], ["007"], [new Date(Date.UTC(2024, 0, 2))], [true], [1e21]] }));
  expect(await rowsOf(result)).toEqual([{ mix: "1" }, { mix: "007" }, { mix: "2024-01-02" }, { mix: "TRUE" }, { mix: "1e+21" }]);
});

test("a sheet without rows is no table, and a workbook without any is unreadable", async () => {
  const two = await convertBytes("a.xlsx", workbook({ Empty: [], Full: [["a"], [1]] }));
  expect(loaded(two.outcome).tables.map(({ table }) => table)).toEqual(["main"]);
  const none = await convertBytes("a.xlsx", workbook({ Empty: [] }));
  expect(failedWith(none.outcome).fault).toMatchObject({ code: "unreadable" });
});

test("a row wider than the header is a reject with its place in the sheet", async () => {
  const result = await convertBytes(
    "a.xlsx",
    workbook({ A: [["a", "b"], [1, 2], [], [3, 4, 5], ...Array.from({ length: 10 }, () => [6])] }),
  );
  expect(loaded(result.outcome).counts).toMatchObject({ read: 12, loaded: 11, rejected: 1 });
  expect(result.rejects).toMatchObject([{ row: 2, line: 4, reason: "expected 2 cells, found 3" }]);
});

test("dates, dates with a time of day and times of day are told by their formats, in both epochs", async () => {
  const dates = await convertBytes("a.xlsx", fixture("dates.xlsx"));
  expect(typesOf(dates.outcome)).toEqual({
    f1: "timestamp(false,us)",
    f2: "timestamp(false,us)",
    f3: "timestamp(false,us)",
    // 20 and mm:ss show a time of day, but most values here are days.
    f4: "text",
    f5: "double",
    f6: "text",
    f7: "timestamp(false,us)",
    f8: "timestamp(false,us)",
    f9: "double",
    f10: "double",
    f11: "double",
    f12: "text",
  });
  const rows = await rowsOf(dates);
  expect(rows.map(({ f1 }) => (f1 as Date).toISOString())).toEqual([
    "2023-03-15T00:00:00.000Z",
    "2023-03-15T12:00:00.000Z",
    "1899-12-31T06:00:00.000Z",
    "1900-02-28T18:00:00.000Z",
    "1900-01-01T00:00:00.000Z",
    "1900-02-28T00:00:00.000Z",
  ]);
  const early = await convertBytes("a.xlsx", fixture("dates-1904.xlsx"));
  expect(typesOf(early.outcome)).toEqual({ day: "date", at: "timestamp(false,us)", time: "time" });
  expect(await rowsOf(early)).toMatchObject([
    { day: new Date("1904-01-01"), at: new Date("2023-03-15T12:00:00Z"), time: 64_800_000_000n },
    { day: new Date("2023-03-15"), at: new Date("1904-01-02T06:00:00Z"), time: null },
  ]);
});

test("an error is no value and a counted warning; a formula without a cached value is no value", async () => {
  const errors = await convertBytes("a.xlsx", fixture("errors.xlsx"));
  expect(loaded(errors.outcome).counts).toMatchObject({ loaded: 7, warnings: 7 });
  expect((await rowsOf(errors)).map(({ e }) => e)).toEqual(Array(7).fill(null));
  expect(await rowsOf(await convertBytes("a.xlsx", fixture("formulas.xlsx")))).toEqual([
    { n: 2n, t: "a<", b: true },
    { n: 4n, t: null, b: null },
    { n: 8n, t: "  x ", b: null },
  ]);
});

test("a text that looks like a number stays text, and whole numbers beyond a double's digits are doubles", async () => {
  const rows = '<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row><row><c t="str"><v>5</v></c><c><v>1e16</v></c></row>';
  const result = await convertBytes("a.xlsx", workbookOf({ sheets: [{ name: "A", rows }] }));
  expect(typesOf(result.outcome)).toEqual({ a: "text", b: "double" });
  expect(await rowsOf(result)).toEqual([{ a: "5", b: 1e16 }]);
});

test("a table need not begin in column A, nor in the first row; a column without name and value is none", async () => {
  expect(await rowsOf(await convertBytes("a.xlsx", fixture("far-cells.xlsx")))).toEqual([
    { c: 1n, ab: 2n },
    { c: 3n, ab: null },
  ]);
});

const ONE = {
  sheets: [{ name: "A", rows: '<row><c t="s"><v>1</v></c></row><row><c t="s"><v>2</v></c></row>' }],
  strings: "<si/><si><t>é</t></si><si><t>ü</t></si>",
};

test("a part in UTF-16 or in another encoding that it names is read; bytes that are not what they say are refused", async () => {
  const strings = String(partsOf(ONE)["xl/sharedStrings.xml"]);
  const as = async (part: Uint8Array) => convertBytes("a.xlsx", workbookOf({ ...ONE, parts: { "xl/sharedStrings.xml": part } }));
  const big = Buffer.from(`\ufeff${strings}`, "utf16le").swap16();
  for (const part of [
    Buffer.from(strings),
    Buffer.from(`\ufeff${strings}`),
    Buffer.from(`\ufeff${strings.replace("UTF-8", "UTF-16")}`, "utf16le"),
    big,
    Buffer.from(strings.replace("UTF-8", "ISO-8859-1"), "latin1"),
  ]) {
    expect(await rowsOf(await as(part))).toEqual([{ é: "ü" }]);
  }
  for (const [part, message] of [
    [Buffer.from(strings, "latin1"), /no UTF-8/],
    [Buffer.from(strings.replace("UTF-8", "x-klingon")), /x-klingon, which is no known encoding/],
    [Buffer.concat([big.subarray(0, -2), Buffer.of(0xd8, 0)]), /no utf-16be/],
  ] as const) {
    expect(failedWith((await as(part)).outcome).fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(message) });
  }
});

test("a workbook in a zip64 is read, and one that names a sheet it does not hold is refused", async () => {
  expect(await rowsOf(await convertBytes("a.xlsx", workbookOf({ ...ONE, zip: { zip64: true } })))).toEqual([{ é: "ü" }]);
  const { [`xl/worksheets/sheet1.xml`]: _, ...parts } = partsOf(ONE);
  const { outcome } = await convertBytes("a.xlsx", zipOf(parts));
  expect(failedWith(outcome).fault).toMatchObject({
    code: "unreadable",
    message: expect.stringMatching(/names a sheet "A" that it does not hold/),
  });
});

test("a workbook without a name, and one beneath gzip, is told by its bytes", async () => {
  const bytes = workbookOf(ONE);
  expect(await rowsOf(await convertBytes("upload", workbookOf({ ...ONE, order: ["xl/workbook.xml"] })))).toEqual([{ é: "ü" }]);
  expect(await rowsOf(await convertBytes("a.xlsx.gz", gzipSync(bytes)))).toEqual([{ é: "ü" }]);
});

test("a binary workbook says what to do", async () => {
  const { outcome } = await convertBytes("a.xlsx", zipOf({ "xl/workbook.bin": "x", "[Content_Types].xml": "<a/>" }));
  expect(failedWith(outcome).fault).toMatchObject({ code: "unsupported_format", message: expect.stringMatching(/xlsb.*save it as xlsx/) });
});

test("columns of a live schema keep their types: what fits is converted, what does not is a reject", async () => {
  const first = loaded(
    (
      await convertBytes(
        "a.xlsx",
        workbook({
          A: [
            ["n", "t"],
            [1, "x"],
          ],
        }),
      )
    ).outcome,
  );
  const schemas = Object.fromEntries(first.tables.map(({ table, schema }) => [table, schema]));
  const rows = [["n", "t"], ["2", 7], ["oops", 8], ...Array.from({ length: 10 }, () => [3, 9.5])];
  const second = await convertBytes("b.xlsx", workbook({ A: rows }), { schemas });
  expect(loaded(second.outcome).counts).toMatchObject({ read: 12, loaded: 11, rejected: 1 });
  expect(second.rejects).toMatchObject([{ row: 2, line: 3, column: "n", raw: "oops", record: "oops\t8" }]);
  expect((await rowsOf(second)).slice(0, 2)).toEqual([
    { n: 2n, t: "7" },
    { n: 3n, t: "9.5" },
  ]);
});

test("a sheet that is larger than what is kept gives the same rows when it is read again", async () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => `<row><c><v>${i}</v></c><c t="str"><v>text ${i % 100}</v></c></row>`).join("");
  const bytes = workbookOf({ sheets: [{ name: "A", rows: `<row><c t="str"><v>n</v></c><c t="str"><v>t</v></c></row>${rows}` }] });
  const opened = await readWorkbookFile(await workbookInput(bytes).random(), workbookInput(bytes).limits, 1_000);
  const [only] = opened.sheets;
  if (!only) throw new Error("no sheet");
  const sheet = opened.rowsOf(only);
  for (let pass = 0; pass < 2; pass++) {
    let seen = 0;
    for await (const { block } of sheet.blocks()) seen += block.rows;
    expect(seen).toBe(30_001);
  }
});
