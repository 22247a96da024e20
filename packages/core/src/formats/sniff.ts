import { RecordReader, STEP } from "./csv-records.ts";

export const DELIMITERS = [",", ";", "\t", "|"] as const;

/** How well a delimiter explains the head of a text: `width` of its first record, and the share of records that have it. */
interface Fit {
  readonly delimiter: string;
  readonly width: number;
  readonly records: number;
  readonly share: number;
}

/**
 * The delimiter of a text from its head, quotes respected: the one under which most records are as wide as the first,
 * the wider on a tie, `usual` where none makes two columns.
 */
export function sniffDelimiter(head: string, whole: boolean, quote: string, usual: string): string {
  const candidates = [usual, ...DELIMITERS.filter((delimiter) => delimiter !== usual && delimiter !== quote)];
  let best: Fit | null = null;
  for (const delimiter of candidates) {
    const fit = fitOf(head, whole, delimiter, quote);
    if (fit.width < 2) continue;
    if (best === null || better(fit, best)) best = fit;
  }
  return best?.delimiter ?? usual;
}

function better(a: Fit, b: Fit): boolean {
  if (Math.abs(a.share - b.share) > 0.05) return a.share > b.share;
  return a.width > b.width;
}

/** The delimiter when the text is plainly a table: at least two records, all of the same two columns or more. Else null. */
export function consistentDelimiter(head: string, whole: boolean): string | null {
  const fits = DELIMITERS.map((delimiter) => fitOf(head, whole, delimiter, '"')).filter(
    (fit) => fit.records >= 2 && fit.width >= 2 && fit.share === 1,
  );
  fits.sort((a, b) => b.width - a.width);
  return fits[0]?.delimiter ?? null;
}

function fitOf(head: string, whole: boolean, delimiter: string, quote: string): Fit {
  const reader = new RecordReader(delimiter, quote);
  reader.load(head, whole);
  let width = 0;
  let records = 0;
  let same = 0;
  for (;;) {
    const step = reader.next();
    if (step === STEP.blank) continue;
    if (step !== STEP.record && step !== STEP.broken) break;
    records++;
    if (records === 1) width = step === STEP.record ? reader.count : 0;
    if (step === STEP.record && reader.count === width) same++;
  }
  return { delimiter, width, records, share: records === 0 ? 0 : same / records };
}
