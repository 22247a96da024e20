import { BLANKS } from "../domain/own-options.ts";
import type { CsvCutter } from "./csv-cutter.ts";
import { STEP, type Step } from "./csv-records.ts";

/** How records and cells are written beyond a delimiter and a quote of one character each. "" is none. */
export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly doubleQuote: boolean;
  readonly comment: string;
  readonly lineEnd: string;
  readonly newlines: boolean;
  readonly strip: boolean;
  readonly skipSpace: boolean;
  /** Cells that were quoted are never null: they are kept out of the null texts by `quoted`. */
  readonly quotedNull: boolean | undefined;
}

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;
const MORE = -STEP.more;

/**
 * Cuts records of any dialect: delimiters of several characters or of blanks, escapes, comments, own line ends. Slower than
 * `RecordReader`, which it equals where both can read. csv-parse cannot stand here: it tells an empty cell from an empty
 * quoted one only through its `cast` function, at a twelfth of its speed, and does not say where a broken record lies.
 */
export class DialectReader implements CsvCutter {
  readonly cells: (string | null)[] = [];
  readonly quoted: boolean[] = [];
  count = 0;
  start = 0;
  end = 0;
  startLine = 1;
  quoteLine = 1;
  problem = "";
  pos = 0;
  text = "";
  #final = false;
  #line = 1;
  #lineInCell = false;
  readonly #is: CsvDialect;
  readonly #blanks: boolean;

  constructor(dialect: CsvDialect) {
    this.#is = dialect;
    this.#blanks = dialect.delimiter === BLANKS;
  }

  load(text: string, final: boolean): void {
    this.text = text;
    this.pos = 0;
    this.#final = final;
  }

  get line(): number {
    return this.#line;
  }

  startAt(line: number): void {
    this.#line = line;
  }

  next(): Step {
    const { text } = this;
    const from = this.pos;
    if (from >= text.length) return this.#final ? STEP.end : STEP.more;
    this.start = from;
    this.startLine = this.#line;
    this.count = 0;
    this.#lineInCell = false;
    let at = this.#blanks ? this.#pastBlanks(from) : from;
    if (at >= text.length && !this.#final) return this.#giveUp(MORE);
    const ended = this.#lineEndAt(at);
    if (ended !== 0 || at >= text.length) return this.#endLine(at, ended, STEP.blank);
    if (this.#commentAt(at)) return this.#endComment(at, STEP.comment);
    for (;;) {
      const stop = this.#cell(at);
      if (stop < 0) return this.#giveUp(stop);
      const after = this.#pastDelimiter(stop);
      if (after === MORE) return this.#giveUp(MORE);
      if (after > stop) at = after;
      else return this.#endRecord(stop);
    }
  }

  #endRecord(at: number): Step {
    const step = this.#lineInCell && !this.#is.newlines ? STEP.broken : STEP.record;
    if (step === STEP.broken) this.problem = "a quoted cell holds a line end, and newlines_in_values is false";
    if (this.#commentAt(at)) return this.#endComment(at, step);
    return this.#endLine(at, this.#lineEndAt(at), step);
  }

  /** A comment reaches to the end of its line. */
  #endComment(at: number, step: Step): Step {
    const end = this.#toLineEnd(at);
    return end >= this.text.length && !this.#final ? this.#giveUp(MORE) : this.#endLine(end, this.#lineEndAt(end), step, at);
  }

  /** Where the cell ends, or a negated step. */
  #cell(from: number): number {
    const { text } = this;
    const { quote, strip, skipSpace } = this.#is;
    const at = strip || skipSpace ? this.#pastSpaces(from) : from;
    if (quote !== "" && text.startsWith(quote, at)) return this.#quotedCell(at);
    return this.#plainCell(at);
  }

  #plainCell(from: number): number {
    const { text } = this;
    const { escape, strip } = this.#is;
    let value = "";
    let piece = from;
    let at = from;
    for (;;) {
      if (at >= text.length) {
        if (!this.#final) return MORE;
        break;
      }
      if (escape !== "" && text.startsWith(escape, at)) {
        if (at + 1 >= text.length && !this.#final) return MORE;
        value += text.slice(piece, at);
        // What is escaped is taken as it is, a line's end too.
        const ended = this.#lineEndAt(at + 1);
        if (ended > 0) this.#line++;
        piece = at + 1;
        at += 1 + Math.max(ended, 1);
        value += text.slice(piece, at);
        piece = at;
        continue;
      }
      if (this.#stopsAt(at)) break;
      at++;
    }
    value += text.slice(piece, at);
    if (strip) value = value.trim();
    this.#put(value === "" ? null : value, false);
    return at;
  }

  #stopsAt(at: number): boolean {
    return this.#delimiterAt(at) || this.#lineEndAt(at) !== 0 || this.#commentAt(at);
  }

  #quotedCell(from: number): number {
    const { text } = this;
    const { quote, escape, doubleQuote } = this.#is;
    const escapes = escape !== "" && escape !== quote;
    let value = "";
    let piece = from + 1;
    let line = this.#line;
    this.quoteLine = line;
    for (let at = from + 1; ;) {
      if (at >= text.length) return -STEP.unclosed;
      if (escapes && text.startsWith(escape, at)) {
        value += text.slice(piece, at);
        piece = at + 1;
        at += 2;
      } else if (text.startsWith(quote, at)) {
        if (at + 1 >= text.length && !this.#final) return MORE;
        value += text.slice(piece, at);
        if (!((doubleQuote || escape === quote) && text.startsWith(quote, at + 1))) {
          this.#line = line;
          this.#put(value, true);
          return this.#afterQuote(at + 1);
        }
        piece = at + 1;
        at += 2;
      } else {
        const ended = this.#lineEndAt(at);
        if (ended > 0) {
          line++;
          this.#lineInCell = true;
        }
        at += Math.max(ended, 1);
      }
    }
  }

  /** Blanks may follow a closing quote; anything else but a delimiter, a comment or a line's end may not. */
  #afterQuote(from: number): number {
    const { text } = this;
    let at = from;
    while (at < text.length) {
      if (this.#stopsAt(at)) return at;
      const c = text.charCodeAt(at);
      if (c !== SPACE && c !== TAB) {
        const found = JSON.stringify(text.slice(at, at + 1));
        const expected = this.#blanks ? "a blank" : JSON.stringify(this.#is.delimiter);
        this.problem = `expected ${expected} or the end of the line after a closing quote, found ${found} (line ${this.#line})`;
        this.pos = at;
        return -STEP.broken;
      }
      at++;
    }
    return this.#final ? at : MORE;
  }

  #put(value: string | null, quoted: boolean): void {
    this.quoted[this.count] = quoted;
    this.cells[this.count++] = value;
  }

  #delimiterAt(at: number): boolean {
    if (!this.#blanks) return this.text.startsWith(this.#is.delimiter, at);
    const c = this.text.charCodeAt(at);
    return c === SPACE || c === TAB;
  }

  /** Where the next cell begins: `at` when no delimiter stands there, or when only blanks are left of a line of blanks. */
  #pastDelimiter(at: number): number {
    if (at >= this.text.length || !this.#delimiterAt(at)) return at;
    if (!this.#blanks) return at + this.#is.delimiter.length;
    const after = this.#pastBlanks(at);
    if (after >= this.text.length) return this.#final ? at : MORE;
    return this.#lineEndAt(after) !== 0 || this.#commentAt(after) ? at : after;
  }

  #pastSpaces(from: number): number {
    const tabs = this.#is.strip && this.#is.delimiter !== "\t";
    let at = from;
    while (isPadding(this.text.charCodeAt(at), tabs)) at++;
    return at;
  }

  #pastBlanks(from: number): number {
    let at = from;
    while (this.text.charCodeAt(at) === SPACE || this.text.charCodeAt(at) === TAB) at++;
    return at;
  }

  #commentAt(at: number): boolean {
    return this.#is.comment !== "" && this.text.startsWith(this.#is.comment, at);
  }

  /** Length of the line end at `at`, 0 where there is none. A CR at the text's end may be half of one: see `#endLine`. */
  #lineEndAt(at: number): number {
    const { text } = this;
    const { lineEnd } = this.#is;
    if (lineEnd !== "") return text.startsWith(lineEnd, at) ? lineEnd.length : 0;
    const c = text.charCodeAt(at);
    if (c === LF) return 1;
    return c !== CR ? 0 : text.charCodeAt(at + 1) === LF ? 2 : 1;
  }

  #toLineEnd(from: number): number {
    let at = from;
    while (at < this.text.length && this.#lineEndAt(at) === 0) at++;
    return at;
  }

  #giveUp(stop: number): Step {
    if (stop === -STEP.broken) {
      const end = this.#toLineEnd(this.pos);
      if (end < this.text.length || this.#final) return this.#endLine(end, this.#lineEndAt(end), STEP.broken);
    }
    this.#line = this.startLine;
    this.pos = this.start;
    return stop === -STEP.unclosed ? STEP.unclosed : STEP.more;
  }

  /** `at`: where the line ends, in `length` characters; `end`: where the record does. */
  #endLine(at: number, length: number, step: Step, end: number = at): Step {
    const { text } = this;
    // Blanks before a line's end lie between a record of blanks and that end.
    const from = this.#blanks ? this.#pastBlanks(at) : at;
    const ended = from === at ? length : this.#lineEndAt(from);
    const half = this.#is.lineEnd === "" && text.charCodeAt(from) === CR && from + 1 >= text.length;
    if (half && !this.#final) return this.#giveUp(MORE);
    this.end = end;
    this.pos = Math.min(from + ended, text.length);
    this.#line++;
    return step;
  }
}

function isPadding(c: number, tabs: boolean): boolean {
  return c === SPACE || (tabs && c === TAB);
}
