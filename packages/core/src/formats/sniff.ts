import { BLANKS } from "../domain/own-options.ts";
import type { CsvCutter } from "./csv-cutter.ts";
import { type CsvDialect, DialectReader } from "./csv-dialect-reader.ts";
import { RecordReader, STEP } from "./csv-records.ts";
import { classOf, startsWithData } from "./sniff-header.ts";

export const DELIMITERS = [",", ";", "\t", "|"] as const;

/** How a head of text was found to be written. */
export interface Sniffed {
  readonly delimiter: string;
  readonly quote: string;
  /** Each delimiter is followed by a space. */
  readonly skipSpace: boolean;
  /** Records before the table. */
  readonly preamble: number;
  /** The table's first records, its header among them. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** What is known of the dialect before it is looked at; what is absent is to be found. */
export interface Said {
  readonly delimiter?: string;
  readonly quote?: string;
  /** Everything else of the dialect, said or by default. */
  readonly base: CsvDialect;
  /** The delimiter of the format's name: a comma, a tab for tsv, a bar for psv. */
  readonly usual: string;
  /** Rows before the table may be looked for. */
  readonly preamble: boolean;
}

const MOST_ROWS = 1_000;
const MOST_PREAMBLE = 50;
/** A record may lie on several lines; so many hold one whole as a rule. */
const LAST_LINES = 6;

/** How well a dialect explains the head: records from the table's first on, and the share of them that are as wide as it. */
interface Fit {
  readonly dialect: CsvDialect;
  readonly width: number;
  readonly records: number;
  readonly share: number;
  readonly broken: number;
  readonly quoted: number;
  readonly preamble: number;
  readonly rows: readonly (readonly (string | null)[])[];
}

/** A cutter for a dialect: the quick one where it can read it. */
export function cutterFor(dialect: CsvDialect): CsvCutter {
  const plain = isPlain(dialect);
  return plain ? new RecordReader(dialect.delimiter, dialect.quote) : new DialectReader(dialect);
}

/** True when a delimiter and a quote of one ASCII character are all there is to a dialect. */
export function isPlain(dialect: CsvDialect): boolean {
  const { delimiter, quote, escape, doubleQuote, comment, lineEnd, newlines, strip, skipSpace, quotedNull } = dialect;
  return (
    /^[\t\u0020-\u007e]$/.test(delimiter) &&
    (doubleQuote || quote === "") &&
    (escape === "" || escape === quote) &&
    comment === "" &&
    lineEnd === "" &&
    newlines &&
    !strip &&
    !skipSpace &&
    quotedNull !== false
  );
}

/** The dialect of a text from its head; `whole`: nothing follows it. */
export function sniffDialect(head: string, whole: boolean, said: Said): Sniffed {
  const quotes = said.quote !== undefined ? [said.quote] : /(^|[\s,;|])'/.test(head) ? ['"', "'"] : ['"'];
  const fits = quotes.map((quote) => bestDelimiter(head, whole, said, quote));
  const [usual, other] = fits;
  if (!usual) throw new Error("there is always a quote to try");
  const best = other && apostrophes(usual, other) ? other : usual;
  const { dialect, preamble, rows } = best;
  return { delimiter: dialect.delimiter, quote: dialect.quote, skipSpace: dialect.skipSpace, preamble, rows };
}

/** Apostrophes quote when nothing is quoted by the usual character and every cell that begins with one ends with one. */
function apostrophes(usual: Fit, other: Fit): boolean {
  return usual.quoted === 0 && other.quoted >= 2 && other.broken === 0 && other.width >= 2 && !(usual.share > other.share + 0.05);
}

/** The delimiter under which most records are as wide as the first, the wider on a tie, the usual one where none makes two columns. */
function bestDelimiter(head: string, whole: boolean, said: Said, quote: string): Fit {
  const base = { ...said.base, quote };
  if (said.delimiter !== undefined) return fitOf(head, whole, { ...base, delimiter: said.delimiter }, said.preamble);
  const usual = fitOf(head, whole, { ...base, delimiter: said.usual }, said.preamble);
  let best = usual.width < 2 ? null : usual;
  for (const delimiter of DELIMITERS) {
    // One that is nowhere makes no two columns: not worth cutting the head for.
    if (delimiter === said.usual || delimiter === quote || !head.includes(delimiter)) continue;
    const fit = fitOf(head, whole, { ...base, delimiter }, said.preamble);
    if (fit.width >= 2 && (best === null || better(fit, best))) best = fit;
  }
  const spaced = spacedFit(head, whole, said, best ?? usual);
  if (spaced !== null && (best === null || better(spaced, best) || spaced.share === 1)) return spaced;
  return best ?? blankFit(head, whole, base) ?? usual;
}

/** A dialect that explains every line is better than one that has to leave the first ones out, and one that leaves out fewer. */
function better(a: Fit, b: Fit): boolean {
  if (explainsAll(a) !== explainsAll(b)) return explainsAll(a);
  if (Math.abs(a.share - b.share) > 0.05) return a.share > b.share;
  return a.preamble === b.preamble ? a.width > b.width : a.preamble < b.preamble;
}

function explainsAll(fit: Fit): boolean {
  return fit.preamble === 0 && fit.share > 0.95;
}

/** A comma (semicolon, bar) and a space: only where a space follows every delimiter that is not within quotes. */
function spacedFit(head: string, whole: boolean, said: Said, best: Fit): Fit | null {
  const delimiter = best.width >= 2 ? best.dialect.delimiter : said.usual;
  if (delimiter === "\t" || said.base.skipSpace || said.base.strip || !head.includes(`${delimiter} `)) return null;
  if (!endsWith(head, whole, `${delimiter} `)) return null;
  const strict = fitOf(head, whole, { ...best.dialect, delimiter: `${delimiter} ` }, said.preamble);
  if (strict.width < 2 || strict.records < 2 || strict.share < 1) return null;
  const fit = fitOf(head, whole, { ...best.dialect, delimiter, skipSpace: true }, said.preamble);
  // A delimiter without a space would show as a cell that the stricter reading does not have.
  return fit.width === strict.width && fit.share === 1 ? fit : null;
}

/** Whether the text stands in one of the last lines that are whole, as a delimiter of every record would. */
function endsWith(head: string, whole: boolean, text: string): boolean {
  const end = whole ? head.length : head.lastIndexOf("\n");
  let from = end;
  for (let lines = 0; lines < LAST_LINES && from > 0; lines++) from = head.lastIndexOf("\n", from - 1);
  return head.slice(Math.max(from, 0), Math.max(end, 0)).includes(text);
}

/**
 * Blanks as the delimiter, where no other makes two columns: every record is as wide as the first, there are three or more,
 * and some column is one of numbers, so that names and sentences stay whole.
 */
function blankFit(head: string, whole: boolean, base: CsvDialect): Fit | null {
  for (const delimiter of [" ", BLANKS]) {
    const fit = fitOf(head, whole, { ...base, delimiter }, false);
    if (fit.width < 2 || fit.records < 3 || fit.share < 1 || fit.broken > 0) continue;
    const beneath = fit.rows.slice(1);
    const numbers = Array.from({ length: fit.width }, (_, i) => beneath.every((row) => classOf(row[i] ?? "") === "number"));
    if (numbers.includes(true)) return fit;
  }
  return null;
}

/** The delimiter when the text is plainly a table: at least two records, all of the same two columns or more. Else null. */
export function consistentDelimiter(head: string, whole: boolean): string | null {
  const fits = DELIMITERS.map((delimiter) => fitOf(head, whole, { ...PLAIN, delimiter }, false)).filter(
    (fit) => fit.records >= 2 && fit.width >= 2 && fit.share === 1,
  );
  fits.sort((a, b) => b.width - a.width);
  return fits[0]?.dialect.delimiter ?? null;
}

/** A comma, a quote that is doubled within quotes, any line end. */
export const PLAIN: CsvDialect = {
  delimiter: ",",
  quote: '"',
  escape: "",
  doubleQuote: true,
  comment: "",
  lineEnd: "",
  newlines: true,
  strip: false,
  skipSpace: false,
  quotedNull: undefined,
};

/** A record of the head: -1 cells where its quotes are broken. */
interface HeadRecord {
  readonly width: number;
  readonly cells: readonly (string | null)[];
  readonly afterBlank: boolean;
}

function fitOf(head: string, whole: boolean, dialect: CsvDialect, mayHavePreamble: boolean): Fit {
  const { records, quoted } = cut(head, whole, dialect);
  const preamble = mayHavePreamble ? preambleOf(records) : 0;
  const table = records.slice(preamble);
  const width = Math.max(table[0]?.width ?? 0, 0);
  const same = table.filter((record) => record.width === width && width > 0).length;
  return {
    dialect,
    width,
    records: table.length,
    share: table.length === 0 ? 0 : same / table.length,
    broken: records.filter((record) => record.width < 0).length,
    quoted,
    preamble,
    rows: table.filter((record) => record.width >= 0).map((record) => record.cells),
  };
}

function cut(head: string, whole: boolean, dialect: CsvDialect): { records: HeadRecord[]; quoted: number } {
  const cutter = cutterFor(dialect);
  cutter.load(head, whole);
  const records: HeadRecord[] = [];
  let quoted = 0;
  let afterBlank = false;
  while (records.length < MOST_ROWS) {
    const step = cutter.next();
    if (step === STEP.blank || step === STEP.comment) {
      afterBlank = true;
      continue;
    }
    if (step !== STEP.record && step !== STEP.broken) break;
    const record = step === STEP.record;
    records.push({ width: record ? cutter.count : -1, cells: record ? cutter.cells.slice(0, cutter.count) : [], afterBlank });
    if (dialect.quote !== "" && head.startsWith(dialect.quote, cutter.start)) quoted++;
    else if (dialect.quote !== "" && head.slice(cutter.start, cutter.end).includes(dialect.delimiter + dialect.quote)) quoted++;
    afterBlank = false;
  }
  return { records, quoted };
}

/**
 * How many records stand before the table: lines narrower than nearly all records after them, if what comes next is plainly
 * a header, or may be one and they have no delimiter or a blank line after them; or lines with one cell filled before a
 * plain header. 0 in doubt.
 */
function preambleOf(records: readonly HeadRecord[]): number {
  const width = usualWidth(records);
  const first = records.findIndex((record) => record.width === width);
  if (width < 2 || first < 0 || first > MOST_PREAMBLE) return 0;
  const after = records.slice(first);
  if (first > 0) {
    const same = after.filter((record) => record.width === width).length;
    if (same < 2 || same < after.length * 0.9) return 0;
    const before = records.slice(0, first);
    const apart = records[first]?.afterBlank ?? false;
    const prose = before.every((record) => record.width <= 1) && (width > 2 || apart);
    const half = before.every((record) => record.width <= width / 2) && apart;
    const headed = before.every((record) => record.width < width) && headsNumbers(after);
    if (!headed && !((prose || half) && hasTop(after))) return 0;
  }
  return first + padded(after, width);
}

function usualWidth(records: readonly HeadRecord[]): number {
  const counts = new Map<number, number>();
  for (const { width } of records) counts.set(width, (counts.get(width) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [0, 0])[0];
}

/** Lines such as `Report 2024,,,` before a header. */
function padded(records: readonly HeadRecord[], width: number): number {
  if (width < 3) return 0;
  const filled = (record: HeadRecord | undefined) => record?.cells.filter((cell) => cell !== null && cell.trim() !== "").length ?? 0;
  let count = 0;
  while (count < MOST_PREAMBLE && filled(records[count]) <= 1 && count < records.length) count++;
  return count > 0 && headsNumbers(records.slice(count)) ? count : 0;
}

/** True when the first record may be a header, a different text or year in every cell, or is plainly a row. */
function hasTop(records: readonly HeadRecord[]): boolean {
  const cells = records[0]?.cells ?? [];
  const names = cells.every((cell) => cell !== null && cell.trim() !== "") && new Set(cells).size === cells.length;
  return (names && cells.some((cell) => classOf(cell ?? "") === "text")) || startsWithData(records.map((record) => record.cells));
}

/** True when the first record is plainly a header: a different text in every cell, and one column of numbers or dates beneath. */
function headsNumbers([header, ...beneath]: readonly HeadRecord[]): boolean {
  if (!header || !header.cells.every((cell) => classOf(cell ?? "") === "text") || new Set(header.cells).size < header.width) return false;
  return header.cells.some((_, i) => {
    const classes = new Set(beneath.map(({ cells }) => classOf(cells[i] ?? "")));
    classes.delete("empty");
    return classes.size === 1 && (classes.has("number") || classes.has("time"));
  });
}
