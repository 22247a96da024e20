import { CELL, type CellBlock } from "./cell-block.ts";
import { SHOWN } from "./number-format.ts";
import { DAYS_1904, hasTimeOfDay, isDateSerial } from "./serial-date.ts";

/** Adds a number as what its format shows it as. */
export function addNumber(block: CellBlock, column: number, value: number, shown: number, date1904: boolean): void {
  if (shown === SHOWN.number) block.add(column, Number.isSafeInteger(value) ? CELL.int : CELL.float, value);
  else if (shown === SHOWN.elapsed) block.add(column, CELL.float, value);
  else addDate(block, column, value, shown, date1904);
}

function addDate(block: CellBlock, column: number, value: number, shown: number, date1904: boolean): void {
  if (shown === SHOWN.time && value >= 0 && value < 1) return block.add(column, CELL.time, value);
  const serial = date1904 ? value + DAYS_1904 : value;
  if (!isDateSerial(serial)) return block.add(column, Number.isSafeInteger(value) ? CELL.int : CELL.float, value);
  block.add(column, hasTimeOfDay(serial) ? CELL.datetime : CELL.date, serial);
}
