import type { Scratch } from "../../../columns/scratch.ts";
import { DAYS_IN_MONTH, daysFromCivil, nanosReach } from "../../../schema/scan-time.ts";
import type { LoadJob } from "../../direct.ts";
import type { KernelCells } from "../cell-block.ts";
import { closing, loadRare } from "./load-rare.ts";
import { setBillions } from "./load-numbers.ts";

const ZERO = 48;
const DASH = 45;
const COLON = 58;
const POINT = 46;
const PLUS = 43;
const SPACE = 32;
const T = 84;
const Z = 90;
const TWO_32 = 2 ** 32;
const DAY_SECONDS = 86_400;
/** Microseconds of dates nearer than this to 1970 are exact in a double. */
const NEAR_DAYS = 100_000;
/** Years that lie within them. */
const NEAR_FROM = 1_700;
const NEAR_TO = 2_240;
/** Nanoseconds in a unit of a fraction with so many digits. */
const FRACTIONS = Float64Array.from({ length: 10 }, (_, digits) => 10 ** (9 - digits));
/** What is no number of two digits. */
const NONE = -1;

/** Two digits, or NONE. */
function two(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - ZERO;
  const ones = (bytes[at + 1] ?? 0) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NONE;
}

const MONTHS = 9_999 * 12 + 12;
/** The day before the first of each month since 1970, by year * 12 + month, + 2^24; 0 where it is not known yet. */
const MONTH_DAYS = new Int32Array(MONTHS + 1);
const KNOWN = 2 ** 24;

function dayBefore(year: number, month: number): number {
  const known = MONTH_DAYS[year * 12 + month] ?? 0;
  if (known !== 0) return known - KNOWN;
  const days = daysFromCivil(year, month, 1) - 1;
  MONTH_DAYS[year * 12 + month] = days + KNOWN;
  return days;
}

const NO_DATE = -(2 ** 52);

/** The ten bytes of a date as days since 1970, or NO_DATE. */
function days(bytes: Uint8Array, at: number): number {
  const century = two(bytes, at);
  const rest = two(bytes, at + 2);
  const month = two(bytes, at + 5);
  const day = two(bytes, at + 8);
  const year = century * 100 + rest;
  if (century < 0 || rest < 0 || year < 1 || month < 1 || month > 12 || day < 1 || bytes[at + 4] !== DASH || bytes[at + 7] !== DASH)
    return NO_DATE;
  if (day > 28 && day > (month === 2 && isLeap(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0))) return NO_DATE;
  return dayBefore(year, month) + day;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function yearAt(bytes: Uint8Array, at: number): number {
  return two(bytes, at) * 100 + two(bytes, at + 2);
}

/** HH:MM or HH:MM:SS at `at` as seconds, or NONE; `seconds` whether the latter is there. */
function clock(bytes: Uint8Array, at: number, seconds: boolean): number {
  const hour = two(bytes, at);
  const minute = two(bytes, at + 3);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || bytes[at + 2] !== COLON) return NONE;
  if (!seconds) return hour * 3_600 + minute * 60;
  const second = two(bytes, at + 6);
  return second < 0 || second > 59 || bytes[at + 5] !== COLON ? NONE : hour * 3_600 + minute * 60 + second;
}

/** The digits [from, to) as nanoseconds, or NONE. */
function nanos(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 1 || to - from > 9) return NONE;
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return NONE;
    value = value * 10 + digit;
  }
  return value * (FRACTIONS[to - from] ?? 0);
}

/** Dates as days since 1970. */
export function loadDates(block: KernelCells, column: number, job: LoadJob, out: Scratch): void {
  const { bytes, ends, width, rows, quote, nulls } = block;
  const { words, codes, present } = out;
  const starts = column === 0 ? block.starts : ends;
  const step = column === 0 ? 1 : width;
  const gap = column === 0 ? 0 : 1;
  const seen = job.seen;
  let count = 0;
  for (let row = 0, si = column === 0 ? 0 : column - 1, ei = column; row < rows; row++, si += step, ei += width) {
    const from = (starts[si] ?? 0) + gap;
    const to = ends[ei] ?? 0;
    if (from === to || (nulls !== null && nulls[ei] === 1)) {
      present[row] = 0;
      out.nulls++;
      continue;
    }
    const quoted = bytes[from] === quote ? 1 : 0;
    const length = (quoted === 1 ? closing(bytes, to, quote) : to) - from - quoted;
    const day = length === 10 ? days(bytes, from + quoted) : NO_DATE;
    if (day === NO_DATE) {
      count = loadRare(block, row, from, to, job, out, count);
      continue;
    }
    words[count] = day;
    codes[count] = day;
    present[row] = 1;
    count++;
    if (seen !== null) {
      seen.dates++;
      noteYear(job, yearAt(bytes, from + quoted));
    }
  }
  out.count = count;
}

function noteYear({ seen }: LoadJob, year: number): void {
  if (seen === null) return;
  if (year < seen.firstYear) seen.firstYear = year;
  if (year > seen.lastYear) seen.lastYear = year;
}

/** Times of day as microseconds since midnight. */
export function loadTimes(block: KernelCells, column: number, job: LoadJob, out: Scratch): void {
  const { bytes, ends, width, rows, quote, nulls } = block;
  const { words, codes, present } = out;
  const starts = column === 0 ? block.starts : ends;
  const step = column === 0 ? 1 : width;
  const gap = column === 0 ? 0 : 1;
  let count = 0;
  for (let row = 0, si = column === 0 ? 0 : column - 1, ei = column; row < rows; row++, si += step, ei += width) {
    const from = (starts[si] ?? 0) + gap;
    const to = ends[ei] ?? 0;
    if (from === to || (nulls !== null && nulls[ei] === 1)) {
      present[row] = 0;
      out.nulls++;
      continue;
    }
    const quoted = bytes[from] === quote ? 1 : 0;
    const at = from + quoted;
    const length = (quoted === 1 ? closing(bytes, to, quote) : to) - at;
    const seconds = length === 5 || length >= 8 ? clock(bytes, at, length > 5) : NONE;
    const fraction = length <= 8 ? 0 : length <= 15 && bytes[at + 8] === POINT ? nanos(bytes, at + 9, at + length) : NONE;
    if (seconds < 0 || fraction < 0) {
      count = loadRare(block, row, from, to, job, out, count);
      continue;
    }
    const value = seconds * 1e6 + fraction / 1_000;
    const high = Math.floor(value / TWO_32);
    words[count * 2] = (value - high * TWO_32) | 0;
    words[count * 2 + 1] = high;
    codes[count] = fraction === 0 ? seconds : -1;
    present[row] = 1;
    count++;
    if (job.seen !== null) job.seen.times++;
  }
  out.count = count;
}

/** Timestamps since 1970 in the type's unit. */
export function loadTimestamps(block: KernelCells, column: number, job: LoadJob, out: Scratch): void {
  if (job.type.kind !== "timestamp") throw new Error("a kernel met another type than its own");
  const { bytes, view, ends, width, rows, quote, nulls } = block;
  const { words, codes, present } = out;
  const starts = column === 0 ? block.starts : ends;
  const step = column === 0 ? 1 : width;
  const gap = column === 0 ? 0 : 1;
  const { zone: wantsZone, unit } = job.type;
  const { seen, declared } = job;
  const micros = unit === "us";
  let count = 0;
  let plain = 0;
  for (let row = 0, si = column === 0 ? 0 : column - 1, ei = column; row < rows; row++, si += step, ei += width) {
    const from = (starts[si] ?? 0) + gap;
    const to = ends[ei] ?? 0;
    if (from === to || (nulls !== null && nulls[ei] === 1)) {
      present[row] = 0;
      out.nulls++;
      continue;
    }
    const quoted = bytes[from] === quote ? 1 : 0;
    const at = from + quoted;
    const end = quoted === 1 ? closing(bytes, to, quote) : to;
    if (micros && (end - at === 19 || (end - at === 20 && bytes[at + 19] === Z)) && (end - at === 20) === wantsZone) {
      const seconds = plainSeconds(view, bytes, at);
      if (seconds > NO_DATE) {
        const value = seconds * 1e6;
        const high = Math.floor(value / TWO_32);
        words[count * 2] = (value - high * TWO_32) | 0;
        words[count * 2 + 1] = high;
        codes[count] = -1;
        present[row] = 1;
        count++;
        plain++;
        // Years matter where nanoseconds do, and those are seen by others.
        if (seen !== null) noteYear(job, plainYear);
        continue;
      }
    }
    const day = end - at >= 10 ? days(bytes, at) : NO_DATE;
    let seconds = 0;
    let fraction = 0;
    let digits = 0;
    let offset = 0;
    let zoned = false;
    let fits = day > -NEAR_DAYS && day < NEAR_DAYS;
    if (end - at > 10 && fits) {
      const separator = bytes[at + 10];
      const withSeconds = end - at >= 19 && bytes[at + 16] === COLON;
      seconds = clock(bytes, at + 11, withSeconds);
      let i = at + (withSeconds ? 19 : 16);
      if (withSeconds && i < end && bytes[i] === POINT) {
        const first = ++i;
        while (i < end && (bytes[i] ?? 0) >= ZERO && (bytes[i] ?? 0) <= 57) i++;
        digits = i - first;
        fraction = nanos(bytes, first, i);
      }
      fits = seconds >= 0 && fraction >= 0 && i <= end && (separator === T || separator === SPACE);
      if (fits && i < end) {
        zoned = true;
        offset = zoneMinutes(bytes, i, end);
        fits = offset !== NO_DATE;
      }
    }
    fits = fits && (zoned === wantsZone || declared);
    if (fits && unit === "us") {
      const value = (day * DAY_SECONDS + seconds - offset * 60) * 1e6 + fraction / 1_000;
      const high = Math.floor(value / TWO_32);
      words[count * 2] = (value - high * TWO_32) | 0;
      words[count * 2 + 1] = high;
      fits = fraction % 1_000 === 0;
    } else if (fits) {
      setBillions(words, count * 2, day * DAY_SECONDS + seconds - offset * 60, fraction);
      fits = nanosReach(yearAt(bytes, at));
    }
    if (!fits) {
      count = loadRare(block, row, from, to, job, out, count);
      continue;
    }
    codes[count] = -1;
    present[row] = 1;
    count++;
    if (seen === null) continue;
    if (end - at === 10) seen.dates++;
    else if (zoned) seen.instants++;
    else seen.locals++;
    if (digits > 6) seen.nanos = true;
    noteYear(job, yearAt(bytes, at));
  }
  out.count = count;
  if (seen === null || plain === 0) return;
  if (wantsZone) seen.instants += plain;
  else seen.locals += plain;
}

const ZEROS = 0x30303030;
const CARRY = 0x06060606;
/** The year that `plainSeconds` met. */
let plainYear = 0;

/**
 * YYYY-MM-DD HH:MM:SS (or with T) at `at` as seconds since 1970, or NO_DATE where it is anything else or years away. Four bytes at
 * a time: what is no digit shows in the high bits of its byte, what should be a separator is zero but for that.
 */
function plainSeconds(view: DataView, bytes: Uint8Array, at: number): number {
  const years = view.getInt32(at, true) ^ ZEROS;
  const months = view.getInt32(at + 4, true) ^ 0x2d30302d;
  const hours = view.getInt32(at + 11, true) ^ 0x303a3030;
  const seconds = view.getInt32(at + 15, true) ^ 0x30303a30;
  const dates = (view.getInt32(at + 7, true) ^ 0x0030302d) & 0xffffff;
  const wrong =
    (years |
      (years + CARRY) |
      months |
      (months + CARRY) |
      hours |
      (hours + CARRY) |
      seconds |
      (seconds + CARRY) |
      dates |
      (dates + CARRY)) &
    (0xf0f0f0f0 | 0);
  const separators = (months & (0xff0000ff | 0)) | (dates & 0xff) | (hours & 0xff0000) | (seconds & 0xff00);
  const between = bytes[at + 10];
  if ((wrong | separators) !== 0 || (between !== SPACE && between !== T)) return NO_DATE;
  const year = (years & 15) * 1_000 + ((years >> 8) & 15) * 100 + ((years >> 16) & 15) * 10 + (years >> 24);
  const month = ((months >> 8) & 15) * 10 + ((months >> 16) & 15);
  const day = ((dates >> 8) & 15) * 10 + ((dates >> 16) & 15);
  const hour = (hours & 15) * 10 + ((hours >> 8) & 15);
  const minute = (hours >> 24) * 10 + (seconds & 15);
  const second = ((seconds >> 16) & 15) * 10 + (seconds >> 24);
  if (year < NEAR_FROM || year > NEAR_TO || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return NO_DATE;
  if (day > 28 && day > (month === 2 && isLeap(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0))) return NO_DATE;
  plainYear = year;
  return (dayBefore(year, month) + day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second;
}

/** Z, +HH, +HHMM or +HH:MM as minutes east of UTC, or NO_DATE. */
function zoneMinutes(bytes: Uint8Array, from: number, to: number): number {
  const sign = bytes[from];
  if (sign === Z) return to === from + 1 ? 0 : NO_DATE;
  if (sign !== PLUS && sign !== DASH) return NO_DATE;
  const length = to - from;
  const hours = two(bytes, from + 1);
  const minutes =
    length === 3 ? 0 : length === 5 ? two(bytes, from + 3) : length === 6 && bytes[from + 3] === COLON ? two(bytes, from + 4) : NONE;
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return NO_DATE;
  return (hours * 60 + minutes) * (sign === DASH ? -1 : 1);
}
