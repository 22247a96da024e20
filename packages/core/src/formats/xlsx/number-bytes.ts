const POWERS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);
/** The most significant digits that always fit a double. */
const EXACT_DIGITS = 15;

/**
 * The number that bytes [from, to) are written as, blanks around it left out; NaN where they are none. Exact: up to 15 digits and
 * a power of ten that a double holds are one rounding (Clinger 1990); anything longer goes through the engine's own parser.
 */
export function numberAt(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  let c = bytes[i] ?? 0;
  const negative = c === 45;
  if (negative) c = bytes[++i] ?? 0;
  let mantissa = 0;
  let digits = 0;
  const start = i;
  while (i < to && c >= 48 && c <= 57) {
    mantissa = mantissa * 10 + (c - 48);
    c = bytes[++i] ?? 0;
  }
  digits = i - start;
  if (i === to && digits > 0 && digits <= EXACT_DIGITS) return negative ? -mantissa : mantissa;
  let scale = 0;
  if (i < to && c === 46) {
    c = bytes[++i] ?? 0;
    const fraction = i;
    while (i < to && c >= 48 && c <= 57) {
      mantissa = mantissa * 10 + (c - 48);
      c = bytes[++i] ?? 0;
    }
    scale = i - fraction;
    digits += scale;
    if (i === to && digits > 0 && digits <= EXACT_DIGITS) {
      const value = mantissa / (POWERS[scale] ?? 1);
      return negative ? -value : value;
    }
  }
  return slowNumber(bytes, from, to);
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
    const digit = (bytes[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) return blankIndex(bytes, from, to);
    value = value * 10 + digit;
  }
  return to > from && to - from <= 9 ? value : -1;
}

function blankIndex(bytes: Uint8Array, from: number, to: number): number {
  const value = slowNumber(bytes, from, to);
  return Number.isInteger(value) && value >= 0 && value < 1e9 ? value : -1;
}
