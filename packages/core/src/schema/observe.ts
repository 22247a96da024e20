import { type NumericFacts, NO_NUMBERS } from "../domain/table-schema.ts";
import { doubleHolds, fitsInt64, fractionDigits, hasLeadingZeros, integerDigits, scanned, scanNumber } from "./scan-number.ts";
import { moment, scanTime } from "./scan-time.ts";

/** What the cells of one text column look like, counted by lexical class. `infer` decides on it. */
export interface Observation {
  nulls: number;
  /** Empty or only white space: no value for any type but text. */
  blanks: number;
  bools: number;
  /** Whole numbers within 64 bits, beyond them, and numbers with a point or an exponent. */
  ints: number;
  bigs: number;
  fractions: number;
  dates: number;
  times: number;
  locals: number;
  instants: number;
  texts: number;
  /** A timestamp with more than six fraction digits was seen. */
  nanos: boolean;
  firstYear: number;
  lastYear: number;
  integerDigits: number;
  scale: number;
  doubleExact: boolean;
}

export function newObservation(): Observation {
  return {
    nulls: 0,
    blanks: 0,
    bools: 0,
    ints: 0,
    bigs: 0,
    fractions: 0,
    dates: 0,
    times: 0,
    locals: 0,
    instants: 0,
    texts: 0,
    nanos: false,
    firstYear: 9999,
    lastYear: 1,
    ...NO_NUMBERS,
  };
}

/** Makes one observation say what another says. */
export function copyObservation(from: Observation, to: Observation): void {
  to.nulls = from.nulls;
  to.blanks = from.blanks;
  to.bools = from.bools;
  to.ints = from.ints;
  to.bigs = from.bigs;
  to.fractions = from.fractions;
  to.dates = from.dates;
  to.times = from.times;
  to.locals = from.locals;
  to.instants = from.instants;
  to.texts = from.texts;
  to.nanos = from.nanos;
  to.firstYear = from.firstYear;
  to.lastYear = from.lastYear;
  to.integerDigits = from.integerDigits;
  to.scale = from.scale;
  to.doubleExact = from.doubleExact;
}

/** Adds cells to an observation. `textSettles`: a column of text stays one, so the rest need not be looked at. */
export function observe(seen: Observation, cells: readonly (string | null)[], textSettles: boolean): void {
  for (const cell of cells) {
    if (cell === null) seen.nulls++;
    else if (textSettles && seen.texts > 0) seen.texts++;
    else observeCell(seen, cell);
  }
}

/** Adds one cell. */
export function observeCell(seen: Observation, cell: string): void {
  let from = 0;
  let to = cell.length;
  while (from < to && cell.charCodeAt(from) <= 32) from++;
  while (to > from && cell.charCodeAt(to - 1) <= 32) to--;
  if (from === to) {
    seen.blanks++;
    return;
  }
  const first = cell.charCodeAt(from);
  if (first >= 48 && first <= 57) {
    const third = cell.charCodeAt(from + 2);
    if (third === 58 || (to - from >= 10 && cell.charCodeAt(from + 4) === 45)) observeTime(seen, cell, from, to);
    else observeNumber(seen, cell, from, to);
  } else if (first === 45 || first === 46) observeNumber(seen, cell, from, to);
  else if (isBool(cell, from, to)) seen.bools++;
  else seen.texts++;
}

function observeNumber(seen: Observation, cell: string, from: number, to: number): void {
  if (!scanNumber(cell, from, to) || hasLeadingZeros(cell)) {
    seen.texts++;
    return;
  }
  const whole = integerDigits();
  // "-0" is a fraction: only a double keeps its sign.
  if (scanned.fractional || (scanned.negative && whole === 1 && cell.charCodeAt(scanned.integerFrom) === 48)) {
    seen.fractions++;
    const scale = fractionDigits();
    if (scale > seen.scale) seen.scale = scale;
  } else if (fitsInt64(cell)) seen.ints++;
  else seen.bigs++;
  if (whole > seen.integerDigits) seen.integerDigits = whole;
  if (seen.doubleExact && !doubleHolds(cell)) seen.doubleExact = false;
}

/** Counts what text[from, to) says of dates and times; any other text counts as text. */
export function observeTime(seen: Observation, cell: string, from: number, to: number): void {
  const kind = scanTime(cell, from, to);
  if (kind === null || (kind === "time" && moment.fraction > 6)) {
    seen.texts++;
    return;
  }
  if (kind === "time") {
    seen.times++;
    return;
  }
  seen.firstYear = Math.min(seen.firstYear, moment.year);
  seen.lastYear = Math.max(seen.lastYear, moment.year);
  if (kind === "date") seen.dates++;
  else {
    if (moment.fraction > 6) seen.nanos = true;
    if (moment.zoned) seen.instants++;
    else seen.locals++;
  }
}

const BOOLS: ReadonlySet<string> = new Set(["true", "True", "TRUE", "false", "False", "FALSE"]);

function isBool(cell: string, from: number, to: number): boolean {
  const length = to - from;
  return (length === 4 || length === 5) && BOOLS.has(length === cell.length ? cell : cell.slice(from, to));
}

export function numbersOf(seen: Observation): NumericFacts {
  return { integerDigits: seen.integerDigits, scale: seen.scale, doubleExact: seen.doubleExact };
}
