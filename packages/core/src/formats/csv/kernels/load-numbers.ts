import type { Scratch } from "../../../columns/scratch.ts";
import { doubleHolds, fractionDigits, hasLeadingZeros, integerDigits, scanned, scanNumber } from "../../../schema/scan-number.ts";
import type { LoadJob } from "../../direct.ts";
import type { KernelCells } from "../cell-block.ts";
import { upToEight, upToFour } from "./digits.ts";
import { cellText, closing, loadRare } from "./load-rare.ts";
import { observeCell } from "../../../schema/observe.ts";

const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const MAX_CODE = 65_536;
const TWO_32 = 2 ** 32;
/** Powers of ten that a double holds exactly. */
const TENS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);
/** Digits that are read at once, and those that always fit in a double. */
const SMALL_DIGITS = 8;
const EXACT_DIGITS = 15;

/** Whole numbers of 64 bits as two halves. */
export function loadInts(block: KernelCells, column: number, job: LoadJob, out: Scratch): void {
  const { bytes, view, ends, width, rows, quote, nulls } = block;
  const { words, codes, present } = out;
  const starts = column === 0 ? block.starts : ends;
  const step = column === 0 ? 1 : width;
  const gap = column === 0 ? 0 : 1;
  let count = 0;
  let most = 0;
  let rare = 0;
  for (let row = 0, si = column === 0 ? 0 : column - 1, ei = column; row < rows; row++, si += step, ei += width) {
    const from = (starts[si] ?? 0) + gap;
    const to = ends[ei] ?? 0;
    if (from === to || (nulls !== null && nulls[ei] === 1)) {
      present[row] = 0;
      out.nulls++;
      continue;
    }
    let i = from;
    let end = to;
    let c = bytes[i] ?? 0;
    if (c === quote) {
      end = closing(bytes, to, quote);
      c = bytes[++i] ?? 0;
    }
    const negative = c === MINUS;
    if (negative) c = bytes[++i] ?? 0;
    const digits = end - i;
    if (digits >= 1 && digits <= SMALL_DIGITS && (c !== ZERO || (digits === 1 && !negative))) {
      let value = upToEight(view, i, digits);
      if (value >= 0) {
        if (negative) value = -value | 0;
        words[count * 2] = value;
        words[count * 2 + 1] = value >> 31;
        codes[count] = value;
        present[row] = 1;
        count++;
        if (digits > most) most = digits;
        continue;
      }
    } else if (digits > SMALL_DIGITS && longInt(bytes, i, end, negative, words, count * 2)) {
      codes[count] = -1;
      present[row] = 1;
      count++;
      if (digits > most) most = digits;
      if (digits > EXACT_DIGITS && job.seen?.doubleExact) observeCell(job.seen, cellText(block, from, to));
      continue;
    }
    const next = loadRare(block, row, from, to, job, out, count);
    rare += next - count;
    count = next;
  }
  out.count = count;
  const { seen } = job;
  if (seen === null || count === rare) return;
  seen.ints++;
  if (most > seen.integerDigits) seen.integerDigits = most;
}

/** A whole number of 9 to 19 digits within 64 bits, written as halves; false when it is none. */
function longInt(bytes: Uint8Array, from: number, to: number, negative: boolean, words: Int32Array, out: number): boolean {
  if (to - from > 19 || bytes[from] === ZERO) return false;
  const split = to - 9;
  let head = 0;
  for (let i = from; i < split; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return false;
    head = head * 10 + digit;
  }
  let tail = 0;
  for (let i = split; i < to; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return false;
    tail = tail * 10 + digit;
  }
  setBillions(words, out, head, tail);
  let low = words[out] ?? 0;
  let high = words[out + 1] ?? 0;
  if (high < 0 && !(negative && high === -(2 ** 31) && low === 0)) return false;
  if (negative) {
    low = -low | 0;
    high = low === 0 ? -high | 0 : ~high;
    words[out] = low;
    words[out + 1] = high;
  }
  return true;
}

/** Writes head * 10^9 + tail as two halves, modulo 2^64: |head| below 2^34, tail from 0 below 2^32. */
export function setBillions(words: Int32Array, out: number, head: number, tail: number): void {
  // 10^9 is 0x3b9a * 2^16 + 0xca00; each product stays below 2^53.
  const sum = head * 0x3b9a + Math.floor((head * 0xca00) / 65_536);
  const high = Math.floor(sum / 65_536);
  const low = Math.imul(head, 1_000_000_000) >>> 0;
  const whole = low + tail;
  words[out] = whole | 0;
  words[out + 1] = (high + (whole >= TWO_32 ? 1 : 0)) | 0;
}

/** Doubles, and the digits that decide on their column's type. */
export function loadDoubles(block: KernelCells, column: number, job: LoadJob, out: Scratch): void {
  const { bytes, view, ends, width, rows, quote, nulls } = block;
  const { doubles, codes, present } = out;
  const starts = column === 0 ? block.starts : ends;
  const step = column === 0 ? 1 : width;
  const gap = column === 0 ? 0 : 1;
  let { codeScale } = job;
  // Below 10^8, so that codes and divisions are of 32-bit integers.
  const usual = codeScale;
  const divisor = TENS[usual] ?? 1;
  const shift = divisor | 0;
  let quick = 0;
  let count = 0;
  let ints = 0;
  let fractions = 0;
  let mostWhole = 0;
  let mostScale = 0;
  for (let row = 0, si = column === 0 ? 0 : column - 1, ei = column; row < rows; row++, si += step, ei += width) {
    const from = (starts[si] ?? 0) + gap;
    const to = ends[ei] ?? 0;
    if (from === to || (nulls !== null && nulls[ei] === 1)) {
      present[row] = 0;
      out.nulls++;
      continue;
    }
    let i = from;
    let end = to;
    let c = bytes[i] ?? 0;
    if (c === quote) {
      end = closing(bytes, to, quote);
      c = bytes[++i] ?? 0;
    }
    const negative = c === MINUS;
    if (negative) i++;
    const first = i;
    // Most fractions of a column have as many digits as those before them.
    const split = end - 1 - usual;
    const before = split - first;
    if (usual > 0 && before >= 1 && before <= 4 && bytes[split] === POINT && (before === 1 || bytes[first] !== ZERO)) {
      const head = upToFour(view, first, before);
      const tail = upToFour(view, split + 1, usual);
      if ((head | tail) >= 0) {
        const small = (Math.imul(head, shift) + tail) | 0;
        const quotient = small / divisor;
        doubles[count] = negative ? -quotient : quotient;
        codes[count] = negative ? -1 : small;
        present[row] = 1;
        count++;
        quick++;
        if (before > mostWhole) mostWhole = before;
        continue;
      }
    }
    let point = -1;
    let digits = 0;
    let mantissa = 0;
    if (end - first <= SMALL_DIGITS + 1) {
      for (; i < end; i++) {
        const digit = (bytes[i] ?? 0) - ZERO;
        if (digit >= 0 && digit <= 9) {
          mantissa = (Math.imul(mantissa, 10) + digit) | 0;
          digits++;
        } else if (digit === POINT - ZERO && point < 0) point = i;
        else break;
      }
    } else if (end - first <= EXACT_DIGITS + 1) {
      for (; i < end; i++) {
        const digit = (bytes[i] ?? 0) - ZERO;
        if (digit >= 0 && digit <= 9) {
          mantissa = mantissa * 10 + digit;
          digits++;
        } else if (digit === POINT - ZERO && point < 0) point = i;
        else break;
      }
    }
    const whole = (point < 0 ? end : point) - first;
    if (i < end || digits === 0 || digits > EXACT_DIGITS || (whole > 1 && bytes[first] === ZERO)) {
      count = loadLongDouble(block, row, from, to, job, out, count);
      continue;
    }
    const scale = digits - whole;
    // Both are exact, so that the quotient is rounded once (Clinger, "How to read floating point numbers accurately").
    const value = scale === 0 ? mantissa : mantissa / (TENS[scale] ?? 1);
    doubles[count] = negative ? -value : value;
    let code = -1;
    if (!negative && scale <= 4) {
      if (scale > codeScale) {
        codeScale = scale;
        job.newCodes = true;
        codes.fill(-1, 0, count);
      }
      code = mantissa < MAX_CODE ? Math.imul(mantissa, TENS[codeScale - scale] ?? 1) : -1;
    }
    codes[count] = code;
    present[row] = 1;
    count++;
    // "-0" is a fraction: only a double keeps its sign.
    if (point >= 0 || (negative && mantissa === 0)) fractions++;
    else ints++;
    if (whole > mostWhole) mostWhole = whole;
    if (scale > mostScale) mostScale = scale;
  }
  out.count = count;
  job.codeScale = codeScale;
  noteNumbers(job, ints, fractions + quick, mostWhole, quick > 0 && usual > mostScale ? usual : mostScale);
}

function noteNumbers({ seen }: LoadJob, ints: number, fractions: number, whole: number, scale: number): void {
  if (seen === null) return;
  seen.ints += ints;
  seen.fractions += fractions;
  if (whole > seen.integerDigits) seen.integerDigits = whole;
  if (scale > seen.scale) seen.scale = scale;
}

/** A number that its own double writes the same way needs no closer look; that is what programs write. */
function loadLongDouble(block: KernelCells, row: number, from: number, to: number, job: LoadJob, out: Scratch, count: number): number {
  const text = cellText(block, from, to);
  const { seen } = job;
  if (!scanNumber(text, 0, text.length) || scanned.plus || hasLeadingZeros(text)) return loadRare(block, row, from, to, job, out, count);
  const value = Number(text);
  const same = Number.isFinite(value) && String(value) === text;
  if (!scanned.fractional || !(same || (Number.isFinite(value) && (job.declared || doubleHolds(text)))))
    return loadRare(block, row, from, to, job, out, count);
  out.doubles[count] = value;
  out.codes[count] = -1;
  out.present[row] = 1;
  if (seen !== null) {
    if (same || !seen.doubleExact) noteNumbers(job, 0, 1, integerDigits(), fractionDigits());
    else observeCell(seen, text);
  }
  return count + 1;
}

/** Decimals as four quarters: the number times ten to the type's scale. */
export function loadDecimals(block: KernelCells, column: number, job: LoadJob, out: Scratch): void {
  if (job.type.kind !== "decimal") throw new Error("a kernel met another type than its own");
  const { bytes, ends, width, rows, quote, nulls } = block;
  const { words, codes, present } = out;
  const starts = column === 0 ? block.starts : ends;
  const step = column === 0 ? 1 : width;
  const gap = column === 0 ? 0 : 1;
  const target = job.type.scale;
  const limit = job.type.precision >= EXACT_DIGITS ? Number.MAX_SAFE_INTEGER : (TENS[job.type.precision] ?? 0);
  let count = 0;
  let ints = 0;
  let fractions = 0;
  let mostWhole = 0;
  let mostScale = 0;
  for (let row = 0, si = column === 0 ? 0 : column - 1, ei = column; row < rows; row++, si += step, ei += width) {
    const from = (starts[si] ?? 0) + gap;
    const to = ends[ei] ?? 0;
    if (from === to || (nulls !== null && nulls[ei] === 1)) {
      present[row] = 0;
      out.nulls++;
      continue;
    }
    let i = from;
    let end = to;
    let c = bytes[i] ?? 0;
    if (c === quote) {
      end = closing(bytes, to, quote);
      c = bytes[++i] ?? 0;
    }
    const negative = c === MINUS;
    if (negative) i++;
    const first = i;
    let point = -1;
    let digits = 0;
    let mantissa = 0;
    if (end - first <= EXACT_DIGITS + 1) {
      for (; i < end; i++) {
        const digit = (bytes[i] ?? 0) - ZERO;
        if (digit >= 0 && digit <= 9) {
          mantissa = mantissa * 10 + digit;
          digits++;
        } else if (digit === POINT - ZERO && point < 0) point = i;
        else break;
      }
    }
    const whole = (point < 0 ? end : point) - first;
    const scale = digits - whole;
    const plain = i === end && digits > 0 && scale <= target && whole + target <= EXACT_DIGITS && !(whole > 1 && bytes[first] === ZERO);
    const unscaled = plain ? mantissa * (TENS[target - scale] ?? 1) : 0;
    if (!plain || unscaled >= limit) {
      count = loadRare(block, row, from, to, job, out, count);
      continue;
    }
    const value = negative ? -unscaled : unscaled;
    const high = Math.floor(value / TWO_32);
    const at = count * 4;
    words[at] = (value - high * TWO_32) | 0;
    words[at + 1] = high;
    words[at + 2] = words[at + 3] = high >> 31;
    codes[count] = value >= 0 && value < MAX_CODE ? value : -1;
    present[row] = 1;
    count++;
    if (point >= 0 || (negative && mantissa === 0)) fractions++;
    else ints++;
    if (whole > mostWhole) mostWhole = whole;
    if (scale > mostScale) mostScale = scale;
  }
  out.count = count;
  noteNumbers(job, ints, fractions, mostWhole, mostScale);
}
