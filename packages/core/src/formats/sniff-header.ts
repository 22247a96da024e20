import { scanNumber, scanned } from "../schema/scan-number.ts";
import { scanTime } from "../schema/scan-time.ts";

export type CellClass = "empty" | "number" | "time" | "bool" | "text";

const COMMA_NUMBER = /^[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+$/;

/** What a cell looks like. */
export function classOf(cell: string): CellClass {
  const text = cell.trim();
  if (text === "") return "empty";
  if (scanNumber(text, 0, text.length) || COMMA_NUMBER.test(text)) return "number";
  if (scanTime(text, 0, text.length) !== null) return "time";
  if (/^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([ T]\d{1,2}:\d{2}(:\d{2})?)?$/.test(text)) return "time";
  return /^(?:true|false)$/i.test(text) ? "bool" : "text";
}

type Rows = readonly (readonly (string | null)[])[];

/**
 * True when the first row is plainly data: every cell is of the kind of those beneath it, and it holds what no header does:
 * only numbers and dates, or among texts a date or a number with a fraction. Years and running numbers (2019 2020, 1 2 3)
 * may be a header. False in doubt.
 */
export function startsWithData(rows: Rows): boolean {
  const [first, ...beneath] = rows;
  if (!first || beneath.length === 0) return false;
  let strong = 0;
  let texts = 0;
  const wholes: number[] = [];
  for (let i = 0; i < first.length; i++) {
    const cell = first[i]?.trim() ?? "";
    const kind = classOf(cell);
    const under = classesUnder(beneath, i);
    if (kind === "empty") continue;
    if (kind === "text") {
      // A text over a column of numbers or dates is its name.
      if (under.size > 0 && !under.has("text")) return false;
      texts++;
      continue;
    }
    if (under.size !== 1 || !under.has(kind)) return false;
    if (kind === "time" || isFraction(cell)) strong++;
    else if (kind === "number") wholes.push(Number(cell));
  }
  if (strong > 0) return true;
  return texts === 0 && wholes.length > 0 && !likeNames(wholes);
}

function classesUnder(rows: Rows, column: number): Set<CellClass> {
  const classes = new Set(rows.map((row) => classOf(row[column] ?? "")));
  classes.delete("empty");
  return classes;
}

function isFraction(cell: string): boolean {
  if (COMMA_NUMBER.test(cell)) return true;
  return scanNumber(cell, 0, cell.length) && (scanned.fractional || scanned.negative);
}

/** Years, or numbers that count on by one from 0 or 1. */
function likeNames(wholes: readonly number[]): boolean {
  if (wholes.every((value) => value >= 1900 && value <= 2100)) return true;
  const first = wholes[0] ?? 0;
  return first <= 1 && wholes.every((value, i) => value === first + i);
}

const COMMA_CELL = /^[+-]?(?:0|[1-9]\d*),\d+$/;

/**
 * True when numbers are written with a decimal comma: in some column every cell is a number with one comma that is no list
 * of two (see `isDecimal`), and no column has numbers with a decimal point.
 */
export function hasDecimalComma(rows: Rows, delimiter: string): boolean {
  const width = Math.max(0, ...rows.map((row) => row.length));
  let found = false;
  for (let i = 0; i < width; i++) {
    const cells = rows.map((row) => row[i]?.trim() ?? "").filter((cell) => cell !== "");
    if (cells.length >= 2 && cells.every((cell) => COMMA_CELL.test(cell))) found ||= isDecimal(cells, delimiter);
    else if (cells.some((cell) => /^[+-]?\d+\.\d+$/.test(cell)) && cells.every((cell) => /^[+-]?\d+(\.\d+)?$/.test(cell))) return false;
  }
  return found;
}

/**
 * 1,5 may be a list of 1 and 5. Where semicolons stand between cells, commas are not free for lists by accident: they are
 * decimal. Elsewhere a sign, a zero before the comma, or a zero after it that leads other digits has to tell a number.
 */
function isDecimal(cells: readonly string[], delimiter: string): boolean {
  return delimiter === ";" || cells.some((cell) => /^-|^[+]?0,|,0\d/.test(cell));
}
