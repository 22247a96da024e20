import type { CellObject, WorkBook } from "@e965/xlsx";
import { Fault } from "../../domain/fault.ts";
import { CELL, CellBlock } from "../sheet/cell-block.ts";
import { NO_STRINGS } from "../sheet/cell-text.ts";
import { addNumber } from "../sheet/number-cell.ts";
import { SHOWN, shownByCode } from "../sheet/number-format.ts";
import type { Sheet, SheetBlock } from "../sheet/sheet-table.ts";

/** A sheet of a workbook that SheetJS read, in the workbook's order. */
export interface XlsSheet {
  readonly name: string;
  readonly hidden: boolean;
  readonly rows: readonly (readonly (CellObject | undefined)[] | undefined)[];
}

/** The sheets of cells; chart and macro sheets have none. */
export function sheetsOf(book: WorkBook): XlsSheet[] {
  return book.SheetNames.flatMap((name, i) => {
    const sheet = book.Sheets[name];
    const kind: unknown = sheet?.["!type"];
    if (sheet === undefined || (kind !== undefined && kind !== "sheet")) return [];
    return [{ name, hidden: (book.Workbook?.Sheets?.[i]?.Hidden ?? 0) !== 0, rows: sheet["!data"] ?? [] }];
  });
}

export function sheetOf({ name, rows }: XlsSheet, date1904: boolean, rawSize: number): Sheet {
  return { name, strings: NO_STRINGS, blocks: () => blocks(rows, date1904, rawSize) };
}

async function* blocks(rows: XlsSheet["rows"], date1904: boolean, rawSize: number): AsyncGenerator<SheetBlock> {
  const formats = new Map<string, number>();
  let block = new CellBlock();
  for (let row = 0; row < rows.length; row++) {
    for (const [column, cell] of (rows[row] ?? []).entries()) if (cell) addCell(block, column, cell, date1904, formats);
    block.endRow(row + 1);
    if (!block.full) continue;
    yield { block, rawBytes: Math.floor((rawSize * row) / rows.length) };
    block = new CellBlock();
  }
  if (block.rows > 0) yield { block, rawBytes: rawSize };
}

function addCell(block: CellBlock, column: number, cell: CellObject, date1904: boolean, formats: Map<string, number>): void {
  const { t, v, z } = cell;
  if (v === undefined && t !== "e") return;
  switch (t) {
    case "n": {
      if (typeof v !== "number" || !Number.isFinite(v)) throw odd(column, v);
      const code = typeof z === "string" ? z : "";
      let shown = formats.get(code);
      if (shown === undefined) {
        shown = code === "" ? SHOWN.number : shownByCode(code);
        formats.set(code, shown);
      }
      return addNumber(block, column, v, shown, date1904);
    }
    case "s": {
      const text = Buffer.from(String(v).toWellFormed());
      block.text.reserve(text.length);
      block.text.bytes.set(text, block.text.length);
      block.text.length += text.length;
      return block.addText(column);
    }
    case "b":
      return block.add(column, CELL.bool, v === true ? 1 : 0);
    case "e":
      return block.add(column, CELL.error, 0);
    case "d":
      throw odd(column, String(v));
    case "z":
      return;
  }
}

function odd(column: number, value: unknown): Fault {
  return new Fault("unreadable", `the workbook is damaged: a cell in column ${column + 1} holds ${String(value)}`);
}
