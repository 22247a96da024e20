/**
 * What the last scanned number was made of. One object that every scan overwrites: millions of cells are scanned,
 * and an object for each would cost more than the scan.
 */
export const scanned = {
  negative: false,
  /** Digits before and after the point as written, and where they are. */
  integerFrom: 0,
  integerTo: 0,
  fractionFrom: 0,
  fractionTo: 0,
  exponent: 0,
  /** A point or an exponent was written. */
  fractional: false,
  plus: false,
};

const ZERO = 48;
const NINE = 57;

/** True when text[from, to) is a number: [+-] digits [. digits] [e[+-]digits], at least one digit. Fills `scanned`. */
export function scanNumber(text: string, from: number, to: number): boolean {
  let i = from;
  const sign = text.charCodeAt(i);
  scanned.negative = sign === 45;
  scanned.plus = sign === 43;
  if (scanned.negative || scanned.plus) i++;
  scanned.integerFrom = i;
  i = skipDigits(text, i, to);
  scanned.integerTo = i;
  scanned.fractionFrom = i;
  scanned.fractionTo = i;
  scanned.exponent = 0;
  scanned.fractional = false;
  if (i < to && text.charCodeAt(i) === 46) {
    scanned.fractional = true;
    scanned.fractionFrom = i + 1;
    i = skipDigits(text, i + 1, to);
    scanned.fractionTo = i;
  }
  if (scanned.integerTo === scanned.integerFrom && scanned.fractionTo === scanned.fractionFrom) return false;
  if (i < to && (text.charCodeAt(i) | 32) === 101) {
    scanned.fractional = true;
    const digits = text.charCodeAt(i + 1) === 45 || text.charCodeAt(i + 1) === 43 ? i + 2 : i + 1;
    const end = skipDigits(text, digits, to);
    if (end === digits || end - digits > 6) return false;
    scanned.exponent = Number(text.slice(i + 1, end));
    i = end;
  }
  return i === to;
}

function skipDigits(text: string, from: number, to: number): number {
  let i = from;
  while (i < to) {
    const c = text.charCodeAt(i);
    if (c < ZERO || c > NINE) break;
    i++;
  }
  return i;
}

/** 007, -01, 00.5: a number whose zeros would be lost. */
export function hasLeadingZeros(text: string): boolean {
  return scanned.integerTo - scanned.integerFrom > 1 && text.charCodeAt(scanned.integerFrom) === ZERO;
}

/** Digits before the point that the scanned number needs, its exponent applied. */
export function integerDigits(): number {
  return Math.max(scanned.integerTo - scanned.integerFrom + scanned.exponent, 0);
}

/** Digits after the point that the scanned number needs, its exponent applied. */
export function fractionDigits(): number {
  return Math.max(scanned.fractionTo - scanned.fractionFrom - scanned.exponent, 0);
}

const MAX_INT64 = "9223372036854775807";
const MIN_INT64 = "9223372036854775808";

/** True when the scanned whole number (no leading zeros) lies within 64 bits. */
export function fitsInt64(text: string): boolean {
  const digits = scanned.integerTo - scanned.integerFrom;
  if (digits !== 19) return digits < 19;
  return text.slice(scanned.integerFrom, scanned.integerTo) <= (scanned.negative ? MIN_INT64 : MAX_INT64);
}

/**
 * True when a double holds the scanned number: written out again it has the same digits. Up to 15 significant digits
 * always do (IEEE 754, DBL_DIG) while the magnitude is far from the ends of the range.
 */
export function doubleHolds(text: string): boolean {
  const digits = scanned.integerTo - scanned.integerFrom + scanned.fractionTo - scanned.fractionFrom;
  if (digits <= 15 && scanned.exponent > -280 && scanned.exponent < 280) return true;
  const written = text.slice(scanned.integerFrom).trimEnd();
  const value = Number(written);
  return Number.isFinite(value) && canonicalDigits(written) === canonicalDigits(String(value));
}

/** Significant digits and power of ten, so that 1.50, 15e-1 and 0.0015e3 are equal. */
function canonicalDigits(number: string): string {
  const [mantissa = "", exponent = "0"] = number.toLowerCase().replace(/^[+-]/, "").split("e");
  const [integer = "", fraction = ""] = mantissa.split(".");
  const digits = (integer + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  return `${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
