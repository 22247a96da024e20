import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FileOptions } from "../../packages/core/src/domain/options.ts";
import { type Converted, convertBytes, failedWith, loaded, rowsOf } from "./convert-kit.ts";
import { type HandSheet, workbookOf } from "./workbook-kit.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures/xlsx", name));
const text = (value: string) => `<c t="inlineStr"><is><t>${value}</t></is></c>`;
const cell = (value: number | string | null) =>
  value === null ? "<c/>" : typeof value === "number" ? `<c><v>${value}</v></c>` : text(value);

/** A sheet of rows by their numbers. */
function sheet(rows: Readonly<Record<number, readonly (number | string | null)[]>>, name = "A"): HandSheet {
  return {
    name,
    rows: Object.entries(rows)
      .map(([row, cells]) => `<row r="${row}">${cells.map(cell).join("")}</row>`)
      .join(""),
  };
}

const convert = (rows: Parameters<typeof sheet>[0], options: FileOptions, more = {}): Promise<Converted> =>
  convertBytes("a.xlsx", workbookOf({ sheets: [sheet(rows)] }), { options, ...more });

const PLAIN = { 1: ["a", "b"], 2: [1, "x"], 4: [2, "y"], 5: [3, "z"] };

const tablesOf = async (options: FileOptions) => {
  const { outcome } = await convertBytes("a.xlsx", fixture("sheets.xlsx"), { options });
  return loaded(outcome).tables.map(({ table }) => table);
};

test("sheets that are not hidden are read; a sheet that is named, or counted from 0, is read in any case", async () => {
  expect(await tablesOf({ tables: "by_name" })).toEqual(["Second & last", "日本"]);
  expect(await tablesOf({ tables: "by_name", sheets: ["Deep", "日本", 1] })).toEqual(["Deep", "日本", "Hidden"]);
  expect(await tablesOf({ tables: "first", sheets: ["Empty", "Hidden"] })).toEqual(["main"]);
});

test("a sheet that is not there fails the file, and the fault names those that are", async () => {
  for (const sheets of [["Nowhere"], [5]]) {
    const { outcome } = await convertBytes("a.xlsx", fixture("sheets.xlsx"), { options: { sheets } });
    expect(failedWith(outcome).fault).toMatchObject({
      field: "sheets",
      value: sheets[0],
      message: expect.stringMatching(/"Second & last", "Hidden"/),
    });
  }
});

test("without a header, columns are called by their place and every row is one", async () => {
  const result = await convert({ 2: [null, 1, "x"], 3: [null, 2, "y", 5] }, { header: false });
  expect(await rowsOf(result)).toEqual([
    { column_2: 1n, column_3: "x", column_4: null },
    { column_2: 2n, column_3: "y", column_4: 5n },
  ]);
  expect(await rowsOf(await convert({ 1: [1] }, { header: false, generated_names: "f0" }))).toEqual([{ f0: 1n }]);
});

test("given names stand for a header, or take its place", async () => {
  expect(await rowsOf(await convert({ 1: [1, 2] }, { column_names: ["p", "q"] }))).toEqual([{ p: 1n, q: 2n }]);
  expect(await rowsOf(await convert(PLAIN, { column_names: ["p", "q"], header: true, max_rows: 1 }))).toEqual([{ p: 1n, q: "x" }]);
});

test("two header rows are one name for each column, and a text of the first reaches over the empty cells behind it", async () => {
  const result = await convert({ 1: ["2024", null, "2025"], 2: ["in", "out", "in"], 3: [1, 2, 3] }, { header_rows: 2 });
  expect(await rowsOf(result)).toEqual([{ "2024_in": 1n, "2024_out": 2n, "2025_in": 3n }]);
});

test("rows are left out where the options say, and those of the table are counted as skipped", async () => {
  const of = async (options: FileOptions) => {
    const result = await convert({ 1: ["title"], 3: ["a"], 4: [1], 6: [2], 7: [3], 8: [4] }, options);
    const { read, loaded: rows, skipped } = loaded(result.outcome).counts;
    expect(rows + skipped).toBe(read);
    return [(await rowsOf(result)).map((row) => Number(row["a"])), skipped];
  };
  expect(await of({ skip_rows: 2 })).toEqual([[1, 2, 3, 4], 0]);
  expect(await of({ header_row: 1 })).toEqual([[1, 2, 3, 4], 0]);
  expect(await of({ skip_rows: 2, max_rows: 2 })).toEqual([[1, 2], 2]);
  expect(await of({ skip_rows: 2, skip_footer: 1 })).toEqual([[1, 2, 3], 1]);
  expect(await of({ skip_row_numbers: [0, 5] })).toEqual([[1, 3, 4], 1]);
  expect(await of({ skip_rows: 2, skip_rows_after_header: 2 })).toEqual([[2, 3, 4], 1]);
  expect(await of({ skip_rows: 2, skip_footer: 1, max_rows: 1 })).toEqual([[1], 3]);
});

test("texts and numbers that mean null are null, and do not decide on a column's type", async () => {
  const result = await convert({ 1: ["a", "b"], 2: [1, "x"], 3: ["n/a", -999], 4: [-999, "y"] }, { null_values: ["n/a", "-999"] });
  expect(await rowsOf(result)).toEqual([
    { a: 1n, b: "x" },
    { a: null, b: null },
    { a: null, b: "y" },
  ]);
});

test("a row that is too wide is cut under fill, and fails the file under fail, by its place in the sheet", async () => {
  const rows = { 1: ["a"], 2: [1], 4: [2, "more"] };
  const filled = await convert(rows, { ragged: "fill" });
  expect(await rowsOf(filled)).toEqual([{ a: 1n }, { a: 2n }]);
  expect(loaded(filled.outcome).counts.warnings).toBe(1);
  expect(failedWith((await convert(rows, { ragged: "fail" })).outcome).fault.message).toMatch(
    /sheet "A", row 4: expected 1 cells, found 2/,
  );
});

test("only some columns are read, under other names and types", async () => {
  const options: FileOptions = { include_columns: ["b", "a"], column_mapping: { a: "n" }, column_types: { n: { kind: "text" } } };
  expect(await rowsOf(await convert(PLAIN, options))).toEqual([
    { b: "x", n: "1" },
    { b: "y", n: "2" },
    { b: "z", n: "3" },
  ]);
});

test("a sheet of a header alone is a table without rows", async () => {
  const { outcome } = await convert({ 1: ["a", "b"] }, {});
  expect(loaded(outcome).tables[0]?.schema.columns.map(({ name, type }) => [name, type.kind])).toEqual([
    ["a", "unknown"],
    ["b", "unknown"],
  ]);
});

test("titles and notes above a table are left out and told, unless the options say where it begins", async () => {
  const table = { 4: ["id", "name", "n"], 5: [1, "x", 2], 6: [2, "y"], 7: [3, "z", 4] };
  const titled = await convert({ 1: ["Sales of 2024"], 2: ["in thousands"], ...table }, {});
  expect(await rowsOf(titled)).toEqual([
    { id: 1n, name: "x", n: 2n },
    { id: 2n, name: "y", n: null },
    { id: 3n, name: "z", n: 4n },
  ]);
  expect(titled.outcome).toMatchObject({ detected: { header: true, preambleRows: 2 }, counts: { read: 3, loaded: 3 } });
  expect(failedWith((await convert({ 1: ["Sales of 2024"], ...table }, { header: true })).outcome).fault.code).toBe("nothing_loaded");
});

test("a narrow header above a few wider rows is no title", async () => {
  const narrow = await convert({ 1: ["a"], 2: [1], 3: [2], 4: [3, "note"], 5: [4] }, { ragged: "fill" });
  expect((await rowsOf(narrow)).map(({ a }) => a)).toEqual([1n, 2n, 3n, 4n]);
  const numbers = await convert({ 1: ["a"], 2: [1, 2], 3: [3, 4], 4: [5, 6] }, { ragged: "fill" });
  expect((await rowsOf(numbers)).map(({ a }) => a)).toEqual([1n, 3n, 5n]);
});
