import { type Observation, observeCell } from "../../schema/observe.ts";
import type { CellBlock } from "./cell-block.ts";
import { cellText } from "./kernels/load-rare.ts";

const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
/** Digits that a double always holds. */
const EXACT_DIGITS = 15;
/** ASCII above the digits that begins no bool: a text. */
const TEXTUAL = new Uint8Array(256).fill(1, NINE + 1, 128);
for (const letter of "tTfF") TEXTUAL[letter.charCodeAt(0)] = 0;

/** Adds a column's cells to an observation, as `observe` does with their texts; most need none. */
export function observeCells(block: CellBlock, column: number, seen: Observation, textSettles: boolean): void {
  const { bytes, ends, width, rows, quote, nulls } = block;
  const starts = column === 0 ? block.starts : ends;
  const step = column === 0 ? 1 : width;
  const gap = column === 0 ? 0 : 1;
  for (let row = 0, si = column === 0 ? 0 : column - 1, ei = column; row < rows; row++, si += step, ei += width) {
    if (textSettles && seen.texts > 0) return;
    const from = (starts[si] ?? 0) + gap;
    const to = ends[ei] ?? 0;
    if (from === to || (nulls !== null && nulls[ei] === 1)) {
      seen.nulls++;
      continue;
    }
    const c = bytes[from] ?? 0;
    if (c !== quote) {
      if (TEXTUAL[c] === 1) {
        seen.texts++;
        continue;
      }
      if (observePlain(bytes, from, to, seen)) continue;
    }
    observeCell(seen, cellText(block, from, to));
  }
}

/** Takes note of a number of at most 15 digits without exponent or needless zeros; false when it is none. */
function observePlain(bytes: Uint8Array, from: number, to: number, seen: Observation): boolean {
  if (to - from > EXACT_DIGITS + 2) return false;
  const negative = bytes[from] === MINUS;
  const first = negative ? from + 1 : from;
  let point = -1;
  for (let i = first; i < to; i++) {
    const c = bytes[i] ?? 0;
    if (c >= ZERO && c <= NINE) continue;
    if (c !== POINT || point >= 0) return false;
    point = i;
  }
  const whole = (point < 0 ? to : point) - first;
  const scale = point < 0 ? 0 : to - point - 1;
  if (whole < 1 || whole + scale > EXACT_DIGITS || (bytes[first] === ZERO && (whole > 1 || (negative && point < 0)))) return false;
  if (point < 0) seen.ints++;
  else {
    seen.fractions++;
    if (scale > seen.scale) seen.scale = scale;
  }
  if (whole > seen.integerDigits) seen.integerDigits = whole;
  return true;
}
