/** What the last scanned date or time was. Overwritten by every scan, as in scan-number. */
export const moment = {
  /** Days since 1970-01-01. */
  days: 0,
  year: 0,
  /** Microseconds since midnight, and the nanoseconds beyond them. */
  micros: 0,
  nanos: 0,
  /** Digits written after the second's point. */
  fraction: 0,
  zoned: false,
  /** Minutes east of UTC. */
  offset: 0,
};

export type TimeKind = "date" | "time" | "timestamp" | null;

export const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/**
 * Reads text[from, to) as YYYY-MM-DD, HH:MM[:SS[.f]] or the two joined by T or a space with an optional Z or offset
 * (ISO 8601, calendar checked, up to nine fraction digits). null when it is none of them. Fills `moment`.
 */
export function scanTime(text: string, from: number, to: number): TimeKind {
  moment.zoned = false;
  moment.offset = 0;
  moment.micros = 0;
  moment.nanos = 0;
  moment.fraction = 0;
  if (to - from < 5) return null;
  if (text.charCodeAt(from + 2) === 58) return scanClock(text, from, to) === to ? "time" : null;
  if (!scanDate(text, from, to)) return null;
  if (to - from === 10) return "date";
  const separator = text.charCodeAt(from + 10);
  if (separator !== 84 && separator !== 32) return null;
  const end = scanClock(text, from + 11, to);
  if (end < 0 || !scanZone(text, end, to)) return null;
  return "timestamp";
}

function scanDate(text: string, from: number, to: number): boolean {
  if (to - from < 10 || text.charCodeAt(from + 4) !== 45 || text.charCodeAt(from + 7) !== 45) return false;
  const year = two(text, from) * 100 + two(text, from + 2);
  const month = two(text, from + 5);
  const day = two(text, from + 8);
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > (month === 2 && leap ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0))) return false;
  moment.year = year;
  moment.days = daysFromCivil(year, month, day);
  return true;
}

/** Where the clock ends, or -1. */
function scanClock(text: string, from: number, to: number): number {
  const hour = two(text, from);
  const minute = two(text, from + 3);
  if (to - from < 5 || !(hour <= 23 && minute <= 59) || text.charCodeAt(from + 2) !== 58) return -1;
  let seconds = hour * 3600 + minute * 60;
  let i = from + 5;
  if (i < to && text.charCodeAt(i) === 58) {
    const second = two(text, i + 1);
    if (i + 3 > to || !(second <= 59)) return -1;
    seconds += second;
    i += 3;
    if (i < to && text.charCodeAt(i) === 46) {
      const end = scanFraction(text, i + 1, to);
      if (end < 0) return -1;
      i = end;
    }
  }
  moment.micros += seconds * 1_000_000;
  return i;
}

function scanFraction(text: string, from: number, to: number): number {
  let value = 0;
  let i = from;
  while (i < to) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    i++;
    if (i - from > 9) return -1;
  }
  if (i === from) return -1;
  moment.fraction = i - from;
  const nanos = value * 10 ** (9 - moment.fraction);
  moment.micros = Math.floor(nanos / 1000);
  moment.nanos = nanos % 1000;
  return i;
}

/** Z, +HH, +HHMM or +HH:MM up to the end, or nothing. */
function scanZone(text: string, from: number, to: number): boolean {
  if (from === to) return true;
  moment.zoned = true;
  const sign = text.charCodeAt(from);
  if (sign === 90) return from + 1 === to;
  if (sign !== 43 && sign !== 45) return false;
  const hours = two(text, from + 1);
  const minuteAt = text.charCodeAt(from + 3) === 58 ? from + 4 : from + 3;
  const minutes = from + 3 === to ? 0 : two(text, minuteAt);
  if (!(hours <= 18 && minutes <= 59) || (from + 3 !== to && minuteAt + 2 !== to)) return false;
  moment.offset = (hours * 60 + minutes) * (sign === 45 ? -1 : 1);
  return true;
}

/** Two digits as a number, NaN when they are none, so that every comparison with it is false. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** True while microseconds since 1970 lie within the 53 bits that a number counts exactly (to the year 2243). */
export function isNear(): boolean {
  return moment.days > -100_000 && moment.days < 100_000;
}

/** Microseconds since 1970 of the scanned timestamp, its offset applied; exact where `isNear`. */
export function microsSinceEpoch(): number {
  return moment.days * 86_400_000_000 + moment.micros - moment.offset * 60_000_000;
}

export function bigMicrosSinceEpoch(): bigint {
  return BigInt(moment.days) * 86_400_000_000n + BigInt(moment.micros - moment.offset * 60_000_000);
}

/** 64 bits of nanoseconds reach from 1677-09-21 to 2262-04-11; whole years are allowed so that an offset cannot leave the range. */
export function nanosReach(year: number): boolean {
  return year >= 1678 && year <= 2261;
}
