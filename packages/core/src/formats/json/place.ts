import { type ColumnFacts, infer } from "../../schema/infer.ts";
import { newObservation, type Observation, observe, observeTime } from "../../schema/observe.ts";
import type { Cells } from "./row-cells.ts";
import { KIND } from "./scan-value.ts";
import { textOf } from "./text.ts";

/** What stands in one place of every row: a column, or a place within a nested value. */
export class ValuePlace {
  readonly seen: Observation = newObservation();
  objects = 0;
  arrays = 0;

  /** Looks at values of this place. Numbers and texts of usual shapes are told from their bytes; no string is made for them. */
  add(cells: Cells): void {
    const { bytes, starts, ends, kinds, step, count, first } = cells;
    const { seen } = this;
    for (let i = 0, c = first; i < count; i++, c += step) {
      const kind = kinds[c] ?? 0;
      if (kind <= KIND.null) seen.nulls++;
      else if (kind <= KIND.false) seen.bools++;
      else if (kind <= KIND.fraction) observeNumber(seen, bytes, starts[c] ?? 0, ends[c] ?? 0, kind);
      else if (kind <= KIND.escaped) observeText(seen, bytes, starts[c] ?? 0, ends[c] ?? 0, kind);
      else if (kind === KIND.object) this.objects++;
      else this.arrays++;
    }
  }

  get facts(): ColumnFacts {
    const facts = infer(this.seen);
    return this.objects + this.arrays > 0 ? { ...facts, whole: { kind: "text" } } : facts;
  }

  /** Values that are neither objects nor arrays nor null. */
  get scalars(): number {
    const { bools, ints, bigs, fractions, dates, times, locals, instants, texts, blanks } = this.seen;
    return bools + ints + bigs + fractions + dates + times + locals + instants + texts + blanks;
  }
}

function observeNumber(seen: Observation, bytes: Uint8Array, start: number, end: number, kind: number): void {
  const from = bytes[start] === 45 ? start + 1 : start;
  const length = end - from;
  if (kind === KIND.int && length <= 15 && (from === start || bytes[from] !== 48)) {
    seen.ints++;
    if (length > seen.integerDigits) seen.integerDigits = length;
    return;
  }
  if (kind === KIND.fraction && length <= 16 && (bytes[end - 1] ?? 0) <= 57) {
    // An exponent is at most six characters from the end of so short a number with 15 digits; the point may be anywhere.
    let point = -1;
    for (let i = from; i < end; i++) {
      const c = bytes[i] ?? 0;
      if (c === 46) point = i;
      else if (c > 57) {
        point = -1;
        break;
      }
    }
    if (point > 0) {
      seen.fractions++;
      if (point - from > seen.integerDigits) seen.integerDigits = point - from;
      if (end - point - 1 > seen.scale) seen.scale = end - point - 1;
      return;
    }
  }
  observe(seen, [textOf(bytes, start, end, false)], false);
}

/** Texts of ISO dates and times are taken for what they say; numbers and booleans in quotes were meant as text. */
function observeText(seen: Observation, bytes: Uint8Array, start: number, end: number, kind: number): void {
  const first = bytes[start] ?? 0;
  const timelike = kind === KIND.escaped || bytes[start + 2] === 58 || (end - start >= 10 && bytes[start + 4] === 45);
  if (first < 48 || first > 57 || end - start < 5 || !timelike) {
    seen.texts++;
    return;
  }
  const text = textOf(bytes, start, end, kind === KIND.escaped);
  observeTime(seen, text, 0, text.length);
}
