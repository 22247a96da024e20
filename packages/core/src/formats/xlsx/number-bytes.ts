const POWERS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);
/** The most significant digits that always fit a double, and how many fit in two of them here. */
const EXACT_DIGITS = 15;
const LONG_DIGITS = 19;
const MAX_POWER = 22;
const ZERO = 48;

/**
 * The number that bytes [from, to) are written as, blanks around it left out; NaN where they are none. Always the double that
 * is nearest: up to 15 digits and a power of ten that a double holds take one rounding (Clinger 1990).
 */
export function numberAt(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  let c = bytes[i] ?? 0;
  const negative = c === 45;
  if (negative) c = bytes[++i] ?? 0;
  const start = i;
  let mantissa = 0;
  while (c >= ZERO && c <= 57) {
    mantissa = mantissa * 10 + (c - ZERO);
    c = bytes[++i] ?? 0;
  }
  let digits = i - start;
  if (i === to && digits > 0 && digits <= EXACT_DIGITS) return negative ? -mantissa : mantissa;
  if (c === 46) {
    c = bytes[++i] ?? 0;
    const fraction = i;
    while (c >= ZERO && c <= 57) {
      mantissa = mantissa * 10 + (c - ZERO);
      c = bytes[++i] ?? 0;
    }
    const scale = i - fraction;
    digits += scale;
    if (i === to && digits > 0 && digits <= EXACT_DIGITS) {
      const value = mantissa / (POWERS[scale] ?? 1);
      return negative ? -value : value;
    }
  }
  return longNumber(bytes, start, to, negative) ?? slowNumber(bytes, from, to);
}

/** Up to 19 digits, of which 15 go to `head` and the rest to `tail`, and an exponent; null where that does not do. */
function longNumber(bytes: Uint8Array, from: number, to: number, negative: boolean): number | null {
  let head = 0;
  let tail = 0;
  let digits = 0;
  let point = -1;
  let i = from;
  for (; i < to; i++) {
    const c = bytes[i] ?? 0;
    if (c === 46 && point < 0) {
      point = i + 1;
      continue;
    }
    const digit = c - ZERO;
    if (digit < 0 || digit > 9) break;
    if (digits < EXACT_DIGITS) head = head * 10 + digit;
    else tail = tail * 10 + digit;
    if (head > 0) digits++;
  }
  if (digits === 0 || digits > LONG_DIGITS) return null;
  const fraction = point < 0 ? 0 : i - point;
  const exponent = i === to ? 0 : exponentAt(bytes, i, to);
  if (exponent === null) return null;
  const scale = fraction - exponent;
  const value = scaled(head, tail, Math.max(digits - EXACT_DIGITS, 0), scale);
  return value === null ? null : negative ? -value : value;
}

/** What `E-12` says, up to three digits. */
function exponentAt(bytes: Uint8Array, from: number, to: number): number | null {
  if (((bytes[from] ?? 0) | 32) !== 101) return null;
  const sign = bytes[from + 1];
  const start = sign === 45 || sign === 43 ? from + 2 : from + 1;
  if (start === to || to - start > 3) return null;
  let value = 0;
  for (let i = start; i < to; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return sign === 45 ? -value : value;
}

/** (head * 10^tailDigits + tail) / 10^scale, rounded once. */
function scaled(head: number, tail: number, tailDigits: number, scale: number): number | null {
  if (tailDigits === 0) {
    if (scale >= 0 && scale <= MAX_POWER) return head / (POWERS[scale] ?? 1);
    return scale < 0 && scale >= -MAX_POWER ? head * (POWERS[-scale] ?? 1) : null;
  }
  if (scale < 0 || scale > MAX_POWER) return null;
  return quotient(head, POWERS[tailDigits] ?? 1, tail, POWERS[scale] ?? 1);
}

const SPLITTER = 2 ** 27 + 1;
/** What the error of the second quotient stays far below, as a share of it. */
const DOUBT = 2 ** -40;

/** The error of a * b rounded to `product`: what is left out is a double again (Dekker 1971). */
function productError(a: number, b: number, product: number): number {
  const ac = a * SPLITTER;
  const ah = ac - (ac - a);
  const al = a - ah;
  const bc = b * SPLITTER;
  const bh = bc - (bc - b);
  const bl = b - bh;
  return al * bl - (product - ah * bh - al * bh - ah * bl);
}

/**
 * (head * power + tail) / divisor in twice a double's digits, rounded once; null where a digit beyond those could decide on
 * the rounding (Ziv's test), which one in billions does.
 */
function quotient(head: number, power: number, tail: number, divisor: number): number | null {
  const product = head * power;
  const high = product + tail;
  const low = tail - (high - product) + productError(head, power, product);
  const first = high / divisor;
  const back = first * divisor;
  const second = (high - back - productError(first, divisor, back) + low) / divisor;
  const sum = first + second;
  const rest = second - (sum - first);
  const doubt = Math.abs(second) * DOUBT;
  return sum + (rest + doubt) === sum && sum + (rest - doubt) === sum ? sum : null;
}

const NUMBER = /^[ \t\r\n]*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)[ \t\r\n]*$/i;
const LONGEST = 400;

function slowNumber(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > LONGEST) return Number.NaN;
  const written = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
  const number = NUMBER.exec(written)?.[1];
  return number === undefined ? Number.NaN : Number(number);
}

/** The whole number from 0 that bytes [from, to) are written as; -1 where they are none, or one of more than nine digits. */
export function indexAt(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return blankIndex(bytes, from, to);
    value = value * 10 + digit;
  }
  return to > from && to - from <= 9 ? value : -1;
}

function blankIndex(bytes: Uint8Array, from: number, to: number): number {
  const value = slowNumber(bytes, from, to);
  return Number.isInteger(value) && value >= 0 && value < 1e9 ? value : -1;
}
