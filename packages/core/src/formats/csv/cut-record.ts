import { STEP, type Step } from "../csv-records.ts";

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;

/** Bytes of delimiter and quote; a quote of 255, which is in no UTF-8, is none. */
export interface Marks {
  readonly delimiter: number;
  readonly quote: number;
}

export const NO_QUOTE = 255;

/**
 * Cuts one record out of UTF-8 bytes, by the rules of `RecordReader` and with its steps. One object for many records:
 * `cut` overwrites what it found before.
 */
export class RecordCutter {
  /** Cells of the record; only the ends of the first `room` are kept. */
  count = 0;
  /** After the record's last byte, without the line's end; and where the next record begins. */
  end = 0;
  next = 0;
  /** Where the quote stands that is never closed, or the byte after a closing quote that may not stand there. */
  trouble = 0;
  readonly #delimiter: number;
  readonly #quote: number;

  constructor(marks: Marks) {
    this.#delimiter = marks.delimiter;
    this.#quote = marks.quote;
  }

  /** Reads the record that begins at `from`; `final` when nothing follows `to`. Writes the ends of its cells to `ends` from `at` on. */
  cut(bytes: Uint8Array, from: number, to: number, final: boolean, ends: Int32Array, at: number, room: number): Step {
    if (from >= to) return final ? STEP.end : STEP.more;
    this.count = 0;
    const first = bytes[from];
    if (first === LF || first === CR) return this.#endLine(bytes, from, to, final, STEP.blank);
    for (let cell = from; ;) {
      const stop = cell < to && bytes[cell] === this.#quote ? this.#quoted(bytes, cell, to, final) : this.#plain(bytes, cell, to, final);
      if (stop < 0) return stop === -STEP.broken ? this.#skipLine(bytes, to, final) : (-stop as Step);
      if (this.count < room) ends[at + this.count] = stop;
      this.count++;
      if (stop < to && bytes[stop] === this.#delimiter) cell = stop + 1;
      else return this.#endLine(bytes, stop, to, final, STEP.record);
    }
  }

  /** Where the cell ends, or a negative step. */
  #plain(bytes: Uint8Array, from: number, to: number, final: boolean): number {
    const delimiter = this.#delimiter;
    let at = from;
    while (at < to) {
      const c = bytes[at];
      if (c === delimiter || c === LF || c === CR) return at;
      at++;
    }
    return final ? at : -STEP.more;
  }

  #quoted(bytes: Uint8Array, from: number, to: number, final: boolean): number {
    const quote = this.#quote;
    let at = from + 1;
    for (;;) {
      at = bytes.indexOf(quote, at);
      if (at < 0 || at >= to) {
        this.trouble = from;
        return -STEP.unclosed;
      }
      if (at + 1 >= to) {
        if (!final) return -STEP.more;
        break;
      }
      if (bytes[at + 1] !== quote) break;
      at += 2;
    }
    // Blanks may follow a closing quote.
    for (at++; at < to; at++) {
      const c = bytes[at];
      if (c === this.#delimiter || c === LF || c === CR) return at;
      if (c !== SPACE && c !== TAB) {
        this.trouble = at;
        return -STEP.broken;
      }
    }
    return final ? at : -STEP.more;
  }

  /** The rest of a broken record's line is left out. */
  #skipLine(bytes: Uint8Array, to: number, final: boolean): Step {
    let at = this.trouble;
    while (at < to && bytes[at] !== LF && bytes[at] !== CR) at++;
    return at < to || final ? this.#endLine(bytes, at, to, final, STEP.broken) : STEP.more;
  }

  #endLine(bytes: Uint8Array, at: number, to: number, final: boolean, step: Step): Step {
    let after = at + 1;
    if (at < to && bytes[at] === CR) {
      if (after >= to && !final) return STEP.more;
      if (after < to && bytes[after] === LF) after++;
    }
    this.end = at;
    this.next = Math.min(after, to);
    return step;
  }
}

/** Line ends in [from, to): LF, and CR that no LF follows. */
export function lineEnds(bytes: Uint8Array, from: number, to: number): number {
  let lines = 0;
  for (let at = from; at < to; at++) {
    const c = bytes[at];
    if (c === LF || (c === CR && bytes[at + 1] !== LF)) lines++;
  }
  return lines;
}
