import type { FormatInput } from "./format.ts";
import type { StartsAt } from "./csv-text.ts";
import { decodeText, encodingOf } from "./text-encoding.ts";

/** The beginning of a text after the lines that are left out. */
export interface Head {
  readonly text: string;
  /** Nothing follows it. */
  readonly whole: boolean;
  readonly start: StartsAt;
}

const ENCODING_BYTES = 4_096;
const HEAD_CHARS = 64 * 1024;
/** A table of many columns has longer lines: the head has as many whole ones, up to so many characters. */
const HEAD_LINES = 8;
const MOST_HEAD_CHARS = 8 * 2 ** 20;

/** The encoding that was said, or that the first bytes tell. */
export async function headEncoding(input: FormatInput): Promise<string> {
  let head: Uint8Array = new Uint8Array(0);
  for await (const chunk of input.decoded()) {
    head = head.length === 0 ? chunk.bytes : Buffer.concat([head, chunk.bytes]);
    if (head.length >= ENCODING_BYTES) break;
  }
  return encodingOf(head, input.options.encoding);
}

/** The first 64 Ki characters after `skip` lines. Quotes mean nothing to lines that are left out. Throws as decoding does. */
export async function readHead(input: FormatInput, encoding: string, skip: number): Promise<Head> {
  const lineEnd = input.options.line_terminator;
  const ends = lineEnd === undefined ? /\r\n|\n|\r/g : null;
  let text = "";
  let chars = 0;
  let skipped = 0;
  for await (const chunk of decodeText(input.decoded(), encoding)) {
    text += chunk.text;
    let from = 0;
    while (skipped < skip) {
      const after = ends ? endBy(ends, text, from) : endAt(lineEnd ?? "", text, from);
      if (after < 0) break;
      from = after;
      skipped++;
    }
    // Of a line that is left out only its last character matters: it may be half of a line's end.
    if (skipped < skip) from = Math.max(text.length - (lineEnd?.length ?? 1), from);
    text = text.slice(from);
    chars += from;
    const end = skipped < skip ? -1 : headEnd(text, ends, lineEnd ?? "");
    if (end >= 0) return { text: text.slice(0, end), whole: false, start: { chars, line: skip + 1 } };
  }
  if (skipped < skip) return { text: "", whole: true, start: { chars: chars + text.length, line: skip + 1 } };
  return { text, whole: true, start: { chars, line: skip + 1 } };
}

/** Where a head may end: it has 64 Ki characters and some whole lines, or is very long. -1 where more is to be read. */
function headEnd(text: string, ends: RegExp | null, lineEnd: string): number {
  if (text.length < HEAD_CHARS) return -1;
  let at = 0;
  for (let lines = 0; lines < HEAD_LINES; lines++) {
    const after = ends ? endBy(ends, text, at) : endAt(lineEnd, text, at);
    if (after < 0) return text.length >= MOST_HEAD_CHARS ? text.length : -1;
    at = after;
  }
  return Math.max(at, HEAD_CHARS);
}

/** Past the next line end, or -1; a CR at the text's end waits for what follows it. */
function endBy(ends: RegExp, text: string, from: number): number {
  ends.lastIndex = from;
  const found = ends.exec(text);
  if (!found || (found[0] === "\r" && ends.lastIndex === text.length)) return -1;
  return ends.lastIndex;
}

function endAt(lineEnd: string, text: string, from: number): number {
  const at = text.indexOf(lineEnd, from);
  return at < 0 ? -1 : at + lineEnd.length;
}
