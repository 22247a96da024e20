import { type Observation, observeCell, observeTime } from "../../schema/observe.ts";
import { KIND } from "./scan-value.ts";
import { textOf } from "./text.ts";

/** Values that are neither objects nor arrays nor null. */
export function scalarsIn(seen: Observation): number {
  const { bools, ints, bigs, fractions, dates, times, locals, instants, texts, blanks } = seen;
  return bools + ints + bigs + fractions + dates + times + locals + instants + texts + blanks;
}

/** Adds a value that is no object and no array to an observation. Numbers and texts of usual shapes are told from their bytes. */
export function observeScalar(seen: Observation, bytes: Uint8Array, start: number, end: number, kind: number): void {
  if (kind <= KIND.null) seen.nulls++;
  else if (kind <= KIND.false) seen.bools++;
  else if (kind === KIND.int) observeInt(seen, bytes, start, end);
  else if (kind === KIND.fraction) observeFraction(seen, bytes, start, end);
  else if (kind === KIND.plain) observeText(seen, bytes, start, end);
  else observeEscaped(seen, textOf(bytes, start, end, true));
}

/** Digits that a double always holds. */
const EXACT_DIGITS = 15;

function observeInt(seen: Observation, bytes: Uint8Array, start: number, end: number): void {
  const from = bytes[start] === 45 ? start + 1 : start;
  const digits = end - from;
  if (digits > EXACT_DIGITS || (from > start && bytes[from] === 48)) return observeCell(seen, textOf(bytes, start, end, false));
  seen.ints++;
  if (digits > seen.integerDigits) seen.integerDigits = digits;
}

function observeFraction(seen: Observation, bytes: Uint8Array, start: number, end: number): void {
  const from = bytes[start] === 45 ? start + 1 : start;
  let point = -1;
  if (end - from <= EXACT_DIGITS + 1) {
    for (let i = from; i < end; i++) {
      const c = bytes[i] ?? 0;
      if (c === 46) point = i;
      else if (c > 57) {
        point = -1;
        break;
      }
    }
  }
  if (point < 0) return observeCell(seen, textOf(bytes, start, end, false));
  seen.fractions++;
  if (point - from > seen.integerDigits) seen.integerDigits = point - from;
  if (end - point - 1 > seen.scale) seen.scale = end - point - 1;
}

/** Texts of ISO dates and times are taken for what they say; numbers and booleans in quotes were meant as text. */
function observeText(seen: Observation, bytes: Uint8Array, start: number, end: number): void {
  let from = start;
  let to = end;
  while (from < to && (bytes[from] ?? 0) <= 32) from++;
  while (to > from && (bytes[to - 1] ?? 0) <= 32) to--;
  const first = bytes[from] ?? 0;
  if (first < 48 || first > 57 || !(bytes[from + 2] === 58 || (to - from >= 10 && bytes[from + 4] === 45))) {
    seen.texts++;
    return;
  }
  const text = textOf(bytes, from, to, false);
  observeTime(seen, text, 0, text.length);
}

function observeEscaped(seen: Observation, text: string): void {
  const bytes = Buffer.from(text);
  observeText(seen, bytes, 0, bytes.length);
}
