import { Fault } from "../domain/fault.ts";
import type { TextAt } from "./csv-batch.ts";
import type { CsvCutter } from "./csv-cutter.ts";
import { STEP, type Step } from "./csv-records.ts";
import type { FormatInput } from "./format.ts";
import { bytesOf, charBytes, type CharBytes, decodeText } from "./text-encoding.ts";

/** A text that begins where a record begins, with whole records but for its last; `final`: nothing follows it. */
export interface Stretch extends TextAt {
  readonly final: boolean;
  readonly rawBytes: number;
  /** Characters of the file before the text. */
  readonly chars: number;
}

/** Where a text is read from: characters from its start, without a byte order mark, and the physical line there. */
export interface StartsAt {
  readonly chars: number;
  readonly line: number;
}

export const FROM_START: StartsAt = { chars: 0, line: 1 };

/** A record that outgrows its stretch is waited for until the text has doubled, so that long records cost linear time. */
class Stretches {
  #pending: string[] = [];
  #rest = "";
  #chars = 0;
  #wanted = 0;
  #byteOffset = 0;
  #bytes = 0;
  #skip: number;
  #from = 0;
  readonly #input: FormatInput;
  readonly #encoding: string;
  readonly #per: CharBytes;

  constructor(input: FormatInput, encoding: string, skip: number) {
    this.#input = input;
    this.#encoding = encoding;
    this.#per = charBytes(encoding);
    this.#skip = skip;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Stretch> {
    let rawBytes = 0;
    let first = true;
    for await (const chunk of decodeText(this.#input.decoded(), this.#encoding)) {
      rawBytes = chunk.rawBytes;
      if (first) this.#byteOffset = chunk.byteOffset;
      first = false;
      this.#take(chunk.text, chunk.byteLength);
      if (this.#chars > 0 && this.#chars >= this.#wanted) yield this.#stretch(false, rawBytes);
    }
    yield this.#stretch(true, rawBytes);
  }

  /** Adds a chunk's text, without what is to be passed over. */
  #take(text: string, byteLength: number): void {
    const over = Math.min(this.#skip, text.length);
    const overBytes = over === 0 ? 0 : over === text.length ? byteLength : this.#sizeOf(text.slice(0, over));
    this.#skip -= over;
    this.#from += over;
    this.#byteOffset += overBytes;
    this.#pending.push(over === 0 ? text : text.slice(over));
    this.#chars += text.length - over;
    this.#bytes += byteLength - overBytes;
  }

  /** What of the last stretch was not read: the beginning of the next one. */
  keep(text: string, from: number, openedOn: string): void {
    const rest = text.slice(from);
    const bytes = this.#sizeOf(rest);
    if (rest.length > this.#input.limits.recordBytes) throw recordTooLong(this.#input, openedOn);
    this.#byteOffset += this.#bytes - bytes;
    this.#bytes = bytes;
    this.#from += from;
    this.#rest = rest;
    this.#chars = rest.length;
    this.#wanted = from === 0 ? Math.min(rest.length * 2, this.#input.limits.recordBytes + 1) : 0;
  }

  #sizeOf(text: string): number {
    return bytesOf(text, this.#per) ?? text.length;
  }

  #stretch(final: boolean, rawBytes: number): Stretch {
    const text = this.#pending.length === 0 ? this.#rest : this.#rest + this.#pending.join("");
    this.#pending = [];
    const per = this.#per === "utf-8" && this.#bytes === text.length ? 1 : this.#per;
    return { text, byteOffset: this.#byteOffset, per, final, rawBytes, chars: this.#from };
  }
}

function recordTooLong(input: FormatInput, where: string): Fault {
  const limit = input.limits.recordBytes;
  return new Fault("limit_exceeded", `a record that begins on ${where} is longer than ${limit} bytes (limit recordBytes)`, {
    field: "recordBytes",
    limit,
  });
}

function unclosed(cutter: CsvCutter): Fault {
  return new Fault("unreadable", `line ${cutter.quoteLine}: a quote opens here and is never closed`, {
    field: "line",
    value: cutter.quoteLine,
  });
}

function whereOf(cutter: CsvCutter, step: Step): string {
  return step === STEP.unclosed
    ? `line ${cutter.startLine} (a quote that opens on line ${cutter.quoteLine} is not closed)`
    : `line ${cutter.startLine}`;
}

/**
 * The records, blank lines and comments of a text, stretch by stretch. Throws `unreadable` for bytes that are none of the
 * encoding's and for a quote that is never closed, `limit_exceeded` for a record that is too long.
 */
export async function* records(
  input: FormatInput,
  cutter: CsvCutter,
  encoding: string,
  from: StartsAt = FROM_START,
): AsyncGenerator<{ stretch: Stretch; steps: Iterable<Step> }> {
  const stretches = new Stretches(input, encoding, from.chars);
  cutter.startAt(from.line);
  for await (const stretch of stretches) {
    cutter.load(stretch.text, stretch.final);
    let last = STEP.end as Step;
    const steps = function* (): Generator<Step> {
      for (;;) {
        last = cutter.next();
        if (last === STEP.more || last === STEP.end || last === STEP.unclosed) return;
        if (cutter.end - cutter.start > input.limits.recordBytes) throw recordTooLong(input, whereOf(cutter, last));
        yield last;
      }
    };
    yield { stretch, steps: steps() };
    if (last === STEP.unclosed && stretch.final) throw unclosed(cutter);
    if (!stretch.final) stretches.keep(stretch.text, cutter.pos, whereOf(cutter, last));
  }
}
