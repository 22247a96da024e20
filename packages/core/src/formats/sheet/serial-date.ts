/** 1970-01-01 as a serial number of the 1900 system. */
const EPOCH_1970 = 25_569;
/** Days from the 1900 system's zero to the 1904 system's. */
export const DAYS_1904 = 1_462;
/** 9999-12-31, the last day that there is. */
const LAST_DAY = 2_958_465;
const DAY_MS = 86_400_000;

/** True when a serial number is a date: what is negative, or lies behind the year 9999, is shown as no date by anybody. */
export function isDateSerial(serial: number): boolean {
  return serial >= 0 && serial < LAST_DAY + 1;
}

/**
 * Milliseconds since 1970 of a serial number of the 1900 system, whose 60 is a 29 February that never was: numbers below it
 * are a day ahead, and 60 itself is taken for the 28th. Rounded to the millisecond, the finest that Excel shows.
 */
export function serialToMs(serial: number): number {
  const day = Math.floor(serial);
  return (day - EPOCH_1970 + (day < 60 ? 1 : 0)) * DAY_MS + Math.round((serial - day) * DAY_MS);
}

/** Milliseconds since midnight of a serial number below 1. */
export function timeMs(serial: number): number {
  return Math.min(Math.round(serial * DAY_MS), DAY_MS - 1);
}

/** True when a date has a time of day. */
export function hasTimeOfDay(serial: number): boolean {
  return serial !== Math.floor(serial) && serialToMs(serial) % DAY_MS !== 0;
}

const ISO = /^\s*(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?)?(Z|[+-]\d\d:\d\d)?\s*$/;
const ISO_TIME = /^\s*(?:T)?(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?\s*$/;

/** The serial number of a date (from 1900 on), or of a time of day, in ISO 8601; null for another text. A zone is passed over. */
export function isoToSerial(text: string): { readonly serial: number; readonly timeOnly: boolean } | null {
  const time = ISO_TIME.exec(text);
  if (time) return { serial: fraction(time[1], time[2], time[3]), timeOnly: true };
  const found = ISO.exec(text);
  if (!found) return null;
  const [, year, month, day, hour, minute, second] = found;
  const days = Date.UTC(Number(year), Number(month) - 1, Number(day)) / DAY_MS + EPOCH_1970;
  const serial = days + fraction(hour, minute, second) - (days <= 60 ? 1 : 0);
  return isDateSerial(serial) ? { serial, timeOnly: false } : null;
}

function fraction(hour = "0", minute = "0", second = "0"): number {
  return (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) / 86_400;
}
