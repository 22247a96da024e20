import exceljs from "exceljs";
import { randomOf } from "../csv.ts";

const CITIES = ["Amsterdam", "Berlin", "Chicago", "Delhi", "Edinburgh", "Fukuoka", "Geneva", "Hanoi"];
const FIRST_DAY = Date.UTC(2026, 0, 1);

/** One row of ten cells: whole numbers, amounts, shares, few and many texts, dates, times of day and booleans. */
function cells(random: () => number, row: number): unknown[] {
  const whole = (below: number) => Math.floor(random() * below);
  return [
    row,
    whole(1_000),
    Math.round(random() * 1e6) / 100,
    random() * random(),
    CITIES[whole(CITIES.length)],
    `customer ${whole(50_000)}`,
    `order ${row}-${whole(10)}`,
    new Date(FIRST_DAY + whole(365) * 86_400_000),
    new Date(FIRST_DAY + whole(365 * 86_400) * 1_000),
    random() < 0.5,
  ];
}

/** Writes a seeded workbook of one sheet with ten columns, by exceljs's streaming writer. */
export async function writeWorkbook(path: string, rows: number, sharedStrings: boolean, seed = 1): Promise<void> {
  const random = randomOf(seed);
  const book = new exceljs.stream.xlsx.WorkbookWriter({ filename: path, useSharedStrings: sharedStrings, useStyles: true });
  const sheet = book.addWorksheet("Data");
  sheet.columns = ["id", "count", "amount", "share", "city", "customer", "order", "day", "at", "ok"].map((header) => ({ header }));
  sheet.getColumn(8).numFmt = "yyyy-mm-dd";
  sheet.getColumn(9).numFmt = "yyyy-mm-dd hh:mm:ss";
  for (let row = 1; row <= rows; row++) sheet.addRow(cells(random, row)).commit();
  sheet.commit();
  await book.commit();
}
