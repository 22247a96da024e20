import { Fault } from "../domain/fault.ts";
import type { Format, FormatInput, OpenedFile, OpenedTable } from "./format.ts";
import { BlockCache } from "./sheet/block-cache.ts";
import { openSheet, type Sheet } from "./sheet/sheet-table.ts";
import { chosenSheets } from "./sheet/chosen-sheets.ts";
import { OfficePackage } from "./xlsx/package.ts";
import { sheetBlocks } from "./xlsx/sheet-blocks.ts";
import { readSharedStrings } from "./xlsx/shared-strings.ts";
import { readStyles } from "./xlsx/styles.ts";
import { readWorkbook } from "./xlsx/workbook.ts";

/** Excel workbooks (Office Open XML, ECMA-376): each visible sheet that holds rows is a table. */
export const xlsx: Format = {
  names: ["xlsx"],
  open: async (input) => openWorkbook(input),
};

async function openWorkbook(input: FormatInput): Promise<OpenedFile> {
  const source = await input.random();
  const zip = await OfficePackage.open(source, input.limits);
  const workbook = await readWorkbook(zip);
  const { date1904 } = workbook;
  const strings = await readSharedStrings(zip, workbook.strings, input.limits.recordBytes);
  const styles = await readStyles(zip, workbook.styles);
  const facts = { strings, styles, date1904, maxColumns: Math.min(input.limits.columns, 16_384), recordBytes: input.limits.recordBytes };
  const cache = new BlockCache();
  const tables: OpenedTable[] = [];
  for (const { name, part } of chosenSheets(workbook.sheets, input.options)) {
    const sheet: Sheet = { name, strings, blocks: () => cache.through(part.name, () => sheetBlocks(zip, part, facts)) };
    const table = await openSheet(sheet, input);
    if (table !== null) tables.push(table);
    if (tables.length === 1 && input.options.tables === "first") break;
  }
  if (tables.length === 0) throw new Fault("unreadable", "the workbook holds no rows in any of the sheets that are read");
  return { dialect: {}, tables };
}
