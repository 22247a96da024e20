import * as sheetjs from "@e965/xlsx";
import { expect, test } from "vitest";
import { convertBytes, failedWith, loaded, rowsOf, typesOf } from "./convert-kit.ts";

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
