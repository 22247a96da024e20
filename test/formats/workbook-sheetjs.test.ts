import * as sheetjs from "@e965/xlsx";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CELL } from "../../packages/core/src/formats/sheet/cell-block.ts";
import { cellText } from "../../packages/core/src/formats/sheet/cell-text.ts";
import type { Sheet } from "../../packages/core/src/formats/sheet/sheet-table.ts";
import { readBiff } from "../../packages/core/src/formats/xls/biff-workbook.ts";
import { CompoundFile, OLE2_MAGIC } from "../../packages/core/src/formats/xls/compound-file.ts";
import { readWorkbookFile } from "../../packages/core/src/formats/xlsx/open-workbook.ts";
import { workbookInput } from "./workbook-kit.ts";

const fixtures = (format: string) => {
  const folder = join(import.meta.dirname, "../fixtures", format);
  return readdirSync(folder)
    .filter((name) => name.endsWith(`.${format}`))
    .map((name) => [name, readFileSync(join(folder, name))] as const);
};

/** A cell by what both readers can say of it. */
type Seen = readonly [kind: "number" | "date" | "text" | "bool" | "error", value: unknown];
type Grid = Record<string, Seen>;

const { SSF } = sheetjs as unknown as { SSF: { is_date(format: string): boolean } };

function theirs(sheet: sheetjs.WorkSheet | undefined): Grid {
  const grid: Grid = {};
  (sheet?.["!data"] ?? []).forEach((row, r) =>
    row?.forEach((cell, c) => {
      const at = sheetjs.utils.encode_cell({ r, c });
      // An empty text is no value to us.
      if (!cell || (cell.t === "s" && cell.v === "")) return;
      const format = String(cell.z ?? "General");
      // Elapsed time is a number of days to us.
      const isDate = SSF.is_date(format) && !/\[[hms]+\]/i.test(format);
      if (cell.t === "n") grid[at] = [isDate ? "date" : "number", cell.v];
      else if (cell.t === "e") grid[at] = ["error", null];
      else grid[at] = [cell.t === "b" ? "bool" : "text", cell.v];
    }),
  );
  return grid;
}

async function ours(sheet: Sheet, date1904: boolean): Promise<Grid> {
  const grid: Grid = {};
  for await (const { block } of sheet.blocks()) {
    for (let row = 0; row < block.rows; row++) {
      for (let at = block.rowStart(row); at < (block.rowEnds[row] ?? 0); at++) {
        const name = sheetjs.utils.encode_cell({ r: (block.rowNumbers[row] ?? 0) - 1, c: block.columns[at] ?? 0 });
        const value = block.values[at] ?? 0;
        const kind = block.kinds[at];
        if (kind === CELL.int || kind === CELL.float) grid[name] = ["number", value];
        else if (kind === CELL.date || kind === CELL.datetime) grid[name] = ["date", date1904 ? value - 1_462 : value];
        else if (kind === CELL.time) grid[name] = ["date", value];
        else if (kind === CELL.bool) grid[name] = ["bool", value === 1];
        else if (kind === CELL.error) grid[name] = ["error", null];
        else grid[name] = ["text", cellText(block, at, sheet.strings)];
      }
    }
  }
  return grid;
}

interface Read {
  readonly name: string;
  readonly hidden: boolean;
  readonly sheet: Sheet;
}

async function readXlsx(bytes: Buffer): Promise<Read[]> {
  const input = workbookInput(bytes);
  const opened = await readWorkbookFile(await input.random(), input.limits);
  return opened.sheets.map((part) => ({ name: part.name, hidden: part.hidden, sheet: opened.rowsOf(part) }));
}

function readXls(bytes: Buffer): Read[] {
  const document = bytes[0] === OLE2_MAGIC[0] ? new CompoundFile(bytes) : null;
  const stream = document?.read("Workbook") ?? document?.read("Book") ?? bytes;
  const { sheets, texts, date1904 } = readBiff(Buffer.from(stream));
  return sheets.map(({ name, hidden, cells }) => ({
    name,
    hidden,
    sheet: { name, strings: texts, small: true, blocks: () => cells.blocks(texts, date1904, bytes.length) },
  }));
}

for (const [name, bytes] of [...fixtures("xlsx"), ...fixtures("xls")]) {
  test(`${name}: its sheets and every cell are as SheetJS reads them`, async () => {
    sheetjs.set_cptable(await import("@e965/xlsx/dist/cpexcel"));
    const book = sheetjs.read(bytes, { type: "buffer", dense: true, cellNF: true });
    const sheets = name.endsWith(".xls") ? readXls(bytes) : await readXlsx(bytes);
    expect(sheets.map(({ name }) => name)).toEqual(book.SheetNames);
    expect(sheets.map(({ hidden }) => hidden)).toEqual(book.SheetNames.map((_, i) => Boolean(book.Workbook?.Sheets?.[i]?.Hidden)));
    let cells = 0;
    for (const { name, sheet } of sheets) {
      const grid = await ours(sheet, book.Workbook?.WBProps?.date1904 ?? false);
      expect(grid).toEqual(theirs(book.Sheets[name]));
      cells += Object.keys(grid).length;
    }
    expect(cells).toBeGreaterThan(1);
  });
}
