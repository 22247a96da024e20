/** 1582-10-15, the first day of the Gregorian calendar, in days since 1970. */
const CUTOVER_DAY = -141_427;
const CUTOVER_SECOND = CUTOVER_DAY * 86_400;
/** Julian day number of 1970-01-01. */
const JULIAN_EPOCH = 2_440_588;

/**
 * Files may say that their days before 1582-10-15 are those of the Julian calendar, as Java's GregorianCalendar counts
 * (ORC specification, "Date Columns"). The date that was meant keeps its name: 1500-01-01 is that in the proleptic Gregorian calendar too.
 */
export function gregorianDay(day: number): number {
  if (day >= CUTOVER_DAY) return day;
  // Richards' algorithms for the Julian calendar, years counted from March of -4800.
  const since = day + JULIAN_EPOCH + 32_082;
  const year = Math.floor((4 * since + 3) / 1461);
  const dayOfYear = since - Math.floor((1461 * year) / 4);
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * month + 2) / 5);
  const leaps = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
  return Math.floor((153 * month + 2) / 5) + dayOfMonth + 365 * year + leaps - 32_044 - JULIAN_EPOCH;
}

/** The same for seconds since 1970 on a clock on the wall. */
export function gregorianSecond(second: number): number {
  if (second >= CUTOVER_SECOND) return second;
  const day = Math.floor(second / 86_400);
  return second + (gregorianDay(day) - day) * 86_400;
}
