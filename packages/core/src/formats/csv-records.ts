import type { CsvCutter } from "./csv-cutter.ts";

/** What `RecordReader.next` found. */
export const STEP = {
  /** A record: its cells are in `cells[0 .. count)`. */
  record: 0,
  /** An empty line. */
  blank: 1,
  /** The text ends inside a record: load more. */
  more: 2,
  /** All is read. */
  end: 3,
  /** A record whose quotes are wrong; `problem` says how. The reader stands at the next line. */
  broken: 4,
  /** The text ends inside quotes that opened on `quoteLine`. */
  unclosed: 5,
  /** A line that is only a comment. */
  comment: 6,
} as const;
export type Step = (typeof STEP)[keyof typeof STEP];

const LF = 10;
const CR = 13;

/**
 * Cuts csv text into records and cells (RFC 4180; lines end with CRLF, LF or CR, mixed at will). An empty cell is null,
 * an empty quoted one is "", which is why the cutting is done here: csv-parse tells them apart only in its `cast`
 * callback, at a twelfth of its speed. A quote inside an unquoted cell is a plain character.
 */
export class RecordReader implements CsvCutter {
  readonly cells: (string | null)[] = [];
  count = 0;
  /** The record's first character and the one after its last, without the line's end. */
  start = 0;
  end = 0;
  /** Physical line, from 1, on which the record begins. */
  startLine = 1;
  quoteLine = 1;
  problem = "";
  pos = 0;
  text = "";
  #final = false;
  #line = 1;
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #quoteText: string;

  /** `quote` "" for none. Both are one ASCII character. */
  constructor(delimiter: string, quote: string) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#quote = quote === "" ? -1 : quote.charCodeAt(0);
    this.#quoteText = quote;
  }

  get line(): number {
    return this.#line;
  }

  startAt(line: number): void {
    this.#line = line;
  }

  /** Text to read from; `final` when nothing follows it. The unread rest of the former text must be its beginning. */
  load(text: string, final: boolean): void {
    this.text = text;
    this.pos = 0;
    this.#final = final;
  }

  /** Reads one record. After `more` and `unclosed` it stands where the record began. */
  next(): Step {
    const { text } = this;
    const from = this.pos;
    if (from >= text.length) return this.#final ? STEP.end : STEP.more;
    this.start = from;
    this.startLine = this.#line;
    this.count = 0;
    const first = text.charCodeAt(from);
    if (first === LF || first === CR) return this.#endLine(from, STEP.blank);
    let at = from;
    for (;;) {
      const stop = at < text.length && text.charCodeAt(at) === this.#quote ? this.#quotedCell(at) : this.#plainCell(at);
      if (stop < 0) return this.#giveUp(stop);
      if (stop < text.length && text.charCodeAt(stop) === this.#delimiter) at = stop + 1;
      else return this.#endLine(stop, STEP.record);
    }
  }

  /** Where the cell ends. */
  #plainCell(from: number): number {
    const { text } = this;
    const length = text.length;
    const delimiter = this.#delimiter;
    let at = from;
    while (at < length) {
      const c = text.charCodeAt(at);
      if (c === delimiter || c === LF || c === CR) break;
      at++;
    }
    if (at === length && !this.#final) return -STEP.more;
    this.cells[this.count++] = at === from ? null : text.substring(from, at);
    return at;
  }

  #quotedCell(from: number): number {
    const { text } = this;
    const quote = this.#quote;
    let escapes = false;
    let at = from + 1;
    for (;;) {
      at = text.indexOf(this.#quoteText, at);
      if (at < 0) {
        this.quoteLine = this.#line;
        return -STEP.unclosed;
      }
      if (at + 1 >= text.length && !this.#final) return -STEP.more;
      if (text.charCodeAt(at + 1) !== quote || at + 1 >= text.length) break;
      escapes = true;
      at += 2;
    }
    const value = text.substring(from + 1, at);
    this.#line += linesIn(text, from + 1, at);
    this.cells[this.count++] = escapes ? value.replaceAll(this.#quoteText + this.#quoteText, this.#quoteText) : value;
    return this.#afterQuote(at + 1);
  }

  /** Blanks may follow a closing quote; anything else but a delimiter or a line's end may not. */
  #afterQuote(from: number): number {
    const { text } = this;
    let at = from;
    while (at < text.length) {
      const c = text.charCodeAt(at);
      if (c === this.#delimiter || c === LF || c === CR) return at;
      if (c !== 32 && c !== 9) {
        const expected = JSON.stringify(String.fromCharCode(this.#delimiter));
        const found = JSON.stringify(text.slice(at, at + 1));
        const where = `line ${this.#line}, character ${at - Math.max(text.lastIndexOf("\n", at), this.start - 1)}`;
        this.problem = `expected ${expected} or the end of the line after a closing quote, found ${found} (${where})`;
        this.pos = at;
        return -STEP.broken;
      }
      at++;
    }
    return this.#final ? at : -STEP.more;
  }

  #giveUp(stop: number): Step {
    if (stop === -STEP.broken) {
      const end = lineEnd(this.text, this.pos);
      if (end < this.text.length || this.#final) return this.#endLine(end, STEP.broken);
    }
    this.#line = this.startLine;
    this.pos = this.start;
    return stop === -STEP.unclosed ? STEP.unclosed : STEP.more;
  }

  #endLine(at: number, step: Step): Step {
    const { text } = this;
    let after = at + 1;
    if (text.charCodeAt(at) === CR) {
      if (after >= text.length && !this.#final) {
        this.#line = this.startLine;
        this.pos = this.start;
        return STEP.more;
      }
      if (text.charCodeAt(after) === LF) after++;
    }
    this.end = at;
    this.pos = Math.min(after, text.length);
    this.#line++;
    return step;
  }
}

function lineEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) !== LF && text.charCodeAt(at) !== CR) at++;
  return at;
}

function linesIn(text: string, from: number, to: number): number {
  let lines = 0;
  for (let at = from; at < to; at++) {
    const c = text.charCodeAt(at);
    if (c === LF || (c === CR && text.charCodeAt(at + 1) !== LF)) lines++;
  }
  return lines;
}
