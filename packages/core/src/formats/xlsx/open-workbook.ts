import { MAX_COLUMNS } from "../../domain/table-schema.ts";
import type { FormatInput, FormatLimits, OpenedFile } from "../format.ts";
import type { Source } from "../source.ts";
import { BlockCache } from "../sheet/block-cache.ts";
import { chosenSheets } from "../sheet/chosen-sheets.ts";
import { openSheets, type Sheet } from "../sheet/sheet-table.ts";
import type { ZipEntry } from "../zip-reader.ts";
import { OfficePackage } from "./package.ts";
import { readSharedStrings } from "./shared-strings.ts";
import { sheetBlocks } from "./sheet-blocks.ts";
import { readStyles } from "./styles.ts";
import { readWorkbook, type SheetPart } from "./workbook.ts";

/** Bytes of cells for each byte of a sheet's XML, at least. */
const KEPT_SHARE = 1 / 4;
const SMALL_BYTES = 4 * 2 ** 20;

/** The sheets of a workbook, and the rows of each. */
export interface OpenedWorkbook {
  readonly sheets: readonly SheetPart[];
  rowsOf(sheet: SheetPart): Sheet;
}

/**
 * Reads what the sheets of an Office Open XML workbook (ECMA-376) have in common. `keptBytes` of cells are not read again.
 * Throws content faults.
 */
export async function readWorkbookFile(source: Source, limits: FormatLimits, keptBytes?: number): Promise<OpenedWorkbook> {
  const zip = await OfficePackage.open(source, limits);
  const workbook = await readWorkbook(zip);
  zip.checkClaims([workbook.strings, workbook.styles, ...workbook.sheets.map(({ part }) => part)]);
  const { recordBytes } = limits;
  const strings = await readSharedStrings(zip, workbook.strings, limits);
  const styles = await readStyles(zip, workbook.styles);
  const facts = { strings, styles, date1904: workbook.date1904, maxColumns: Math.min(limits.columns, MAX_COLUMNS), recordBytes };
  const cache = new BlockCache(keptBytes);
  // Raw bytes are counted in the order of the sheets, wherever they lie in the zip.
  const before = new Map<string, number>();
  let raw = 0;
  for (const { part } of workbook.sheets) {
    before.set(part.name, raw);
    raw += part.packedBytes;
  }
  const read = (part: ZipEntry) => sheetBlocks(zip, part, facts, before.get(part.name) ?? 0);
  return {
    sheets: workbook.sheets,
    rowsOf: ({ name, part }) => ({
      name,
      strings,
      small: part.bytes <= SMALL_BYTES,
      blocks: () => cache.through(part.name, part.bytes * KEPT_SHARE, () => read(part)),
    }),
  };
}

/** Each visible sheet that holds rows is a table, or those that the options name. Throws content faults. */
export async function openWorkbook(source: Source, input: FormatInput): Promise<OpenedFile> {
  const workbook = await readWorkbookFile(source, input.limits);
  const sheets = chosenSheets(workbook.sheets, input.options);
  return openSheets(
    sheets.map((sheet) => workbook.rowsOf(sheet)),
    input,
  );
}
