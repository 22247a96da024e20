import type { ColumnType } from "../domain/table-schema.ts";
import type { CoerceRules, OnBadCell } from "./coerce.ts";
import { type ColumnData, Validity } from "./column-data.ts";
import { doubleHolds, fitsInt64, fractionDigits, hasLeadingZeros, integerDigits, scanned, scanNumber } from "./scan-number.ts";

type Cells = readonly (string | null)[];
const WORD = 2 ** 32;

/** Writes a whole number below 2^53 into a 64-bit word by its halves: a BigInt for each cell costs several times as much. */
export function setWord(halves: Int32Array, word: number, value: number): void {
  halves[word * 2] = (value % WORD) | 0;
  const low = halves[word * 2] ?? 0;
  halves[word * 2 + 1] = Math.floor((value - (low < 0 ? low + WORD : low)) / WORD);
}

export function coerceInts(cells: Cells, rules: CoerceRules, onBad: OnBadCell): ColumnData {
  const rows = cells.length;
  const validity = new Validity(rows);
  const values = new BigInt64Array(rows);
  const halves = new Int32Array(values.buffer);
  for (let row = 0; row < rows; row++) {
    const cell = cells[row] ?? null;
    if (cell === null) {
      validity.clear(row);
      continue;
    }
    const small = smallInt(cell);
    if (small === small) {
      setWord(halves, row, small);
      continue;
    }
    const big = bigInt(cell.trim(), rules);
    if (big !== null) values[row] = big;
    else {
      validity.clear(row);
      if (cell.trim() !== "") onBad(row, cell);
    }
  }
  return { ...validity.facts(rows), form: "words", values };
}

/** A plain whole number of at most 15 digits, else NaN. */
function smallInt(cell: string): number {
  const length = cell.length;
  const negative = cell.charCodeAt(0) === 45;
  const from = negative ? 1 : 0;
  if (length === from || length - from > 15) return Number.NaN;
  if (cell.charCodeAt(from) === 48 && (negative || length > 1)) return Number.NaN;
  let value = 0;
  for (let i = from; i < length; i++) {
    const digit = cell.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

function bigInt(text: string, rules: CoerceRules): bigint | null {
  if (!scanNumber(text, 0, text.length) || scanned.fractional) return null;
  if (!rules.declared && (scanned.plus || hasLeadingZeros(text))) return null;
  const digits = text.slice(scanned.integerFrom).replace(/^0+(?=\d)/, "");
  const canonical = scanned.negative ? `-${digits}` : digits;
  scanNumber(canonical, 0, canonical.length);
  return fitsInt64(canonical) ? BigInt(canonical) : null;
}

const NOT_NUMBERS: ReadonlyMap<string, number> = new Map([
  ["nan", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
  ["infinity", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
]);

export function coerceDoubles(cells: Cells, rules: CoerceRules, onBad: OnBadCell): ColumnData {
  const rows = cells.length;
  const validity = new Validity(rows);
  const values = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const cell = cells[row] ?? null;
    if (cell === null) {
      validity.clear(row);
      continue;
    }
    const text = cell.trim();
    if (scanNumber(text, 0, text.length)) {
      const value = Number(text);
      if (rules.declared ? Number.isFinite(value) : !scanned.plus && !hasLeadingZeros(text) && doubleHolds(text)) {
        values[row] = value;
        continue;
      }
    }
    const special = rules.declared ? NOT_NUMBERS.get(text.toLowerCase()) : undefined;
    if (special !== undefined) values[row] = special;
    else {
      validity.clear(row);
      if (text !== "") onBad(row, cell);
    }
  }
  return { ...validity.facts(rows), form: "doubles", values };
}

export function coerceDecimals(cells: Cells, type: ColumnType & { kind: "decimal" }, rules: CoerceRules, onBad: OnBadCell): ColumnData {
  const rows = cells.length;
  const validity = new Validity(rows);
  const values = new BigInt64Array(rows * 2);
  for (let row = 0; row < rows; row++) {
    const cell = cells[row] ?? null;
    const text = cell?.trim() ?? "";
    const unscaled = text === "" ? null : unscaledDecimal(text, type, rules);
    if (unscaled !== null) {
      values[row * 2] = BigInt.asIntN(64, unscaled);
      values[row * 2 + 1] = unscaled >> 64n;
    } else {
      validity.clear(row);
      if (cell !== null && text !== "") onBad(row, cell);
    }
  }
  return { ...validity.facts(rows), form: "pairs", values };
}

/** The number times ten to the scale, or null when digits would be lost on either side of the point. */
function unscaledDecimal(text: string, type: { precision: number; scale: number }, rules: CoerceRules): bigint | null {
  if (!scanNumber(text, 0, text.length)) return null;
  if (!rules.declared && (scanned.plus || hasLeadingZeros(text))) return null;
  const { negative, exponent } = scanned;
  const whole = text.slice(scanned.integerFrom, scanned.integerTo);
  const fraction = text.slice(scanned.fractionFrom, scanned.fractionTo);
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return 0n;
  if (integerDigits() > 400 || fractionDigits() > 400) return null;
  const shift = type.scale + exponent - fraction.length;
  let unscaled: string;
  if (shift >= 0) unscaled = digits + "0".repeat(shift);
  else {
    if (/[^0]/.test(digits.slice(shift))) return null;
    unscaled = digits.slice(0, shift);
  }
  if (unscaled.length > type.precision) return null;
  const value = BigInt(unscaled === "" ? "0" : unscaled);
  return negative ? -value : value;
}
