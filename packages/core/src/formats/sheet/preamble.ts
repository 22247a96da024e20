import type { FileOptions } from "../../domain/options.ts";
import { CELL, type CellBlock } from "./cell-block.ts";
import type { Sheet } from "./sheet-table.ts";

/** Rows that are looked at, and how many of them may stand before a table. */
const SAMPLE_ROWS = 40;
const MAX_PREAMBLE = 10;
/** Rows that a table has at least, and the share of them that must be wider than one cell. */
const LEAST_ROWS = 2;
const WIDE_SHARE = 0.8;

/**
 * How many rows stand before a sheet's table, where the options say nothing of its top: titles and notes of one text each,
 * above a row of texts alone, above rows of several cells. Anything less plain is no preamble.
 */
export async function preambleOf(sheet: Sheet, options: FileOptions): Promise<number> {
  const { header, header_row: row, header_rows: rows, skip_rows: skip, skip_row_numbers: numbers, column_names: names } = options;
  if ([header, row, rows, skip, numbers, names].some((said) => said !== undefined)) return 0;
  let first: CellBlock | null = null;
  for await (const { block } of sheet.blocks()) {
    first ??= block;
    // Read to its end, a small sheet is kept for the passes that follow.
    if (!sheet.small) break;
  }
  return first === null ? 0 : preambleIn(first);
}

function preambleIn(block: CellBlock): number {
  const cells = (row: number) => (block.rowEnds[row] ?? 0) - block.rowStart(row);
  const isText = (row: number) => {
    for (let at = block.rowStart(row); at < (block.rowEnds[row] ?? 0); at++) {
      if (block.kinds[at] !== CELL.text && block.kinds[at] !== CELL.shared) return false;
    }
    return true;
  };
  let top = 0;
  while (top < Math.min(block.rows, MAX_PREAMBLE) && cells(top) === 1 && isText(top)) top++;
  if (top === 0 || top >= block.rows || cells(top) < 2 || !isText(top)) return 0;
  const sampled = Math.min(block.rows, SAMPLE_ROWS) - top - 1;
  let wide = 0;
  for (let row = top + 1; row <= top + sampled; row++) if (cells(row) > 1) wide++;
  return sampled >= LEAST_ROWS && wide >= sampled * WIDE_SHARE ? top : 0;
}
