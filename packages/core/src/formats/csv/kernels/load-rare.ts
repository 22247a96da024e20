import { coerce } from "../../../schema/coerce.ts";
import { observeCell } from "../../../schema/observe.ts";
import type { Scratch } from "../../../columns/scratch.ts";
import type { LoadJob } from "../../direct.ts";
import { type KernelCells, textOf } from "../cell-block.ts";

/** Turns the cells of a column into values. Anything but the plainest spelling goes through `loadRare`. */
export type Kernel = (block: KernelCells, column: number, job: LoadJob, out: Scratch) => void;

/** A cell's text: quotes taken off, doubled ones as one. */
export function cellText(block: KernelCells, from: number, to: number): string {
  const { bytes, quote } = block;
  if (bytes[from] !== quote) return textOf(bytes, from, to);
  const mark = String.fromCharCode(quote);
  const text = textOf(bytes, from + 1, closing(bytes, to, quote));
  return text.includes(mark) ? text.replaceAll(mark + mark, mark) : text;
}

/** Where the closing quote of a quoted cell stands: only blanks follow it. */
export function closing(bytes: Uint8Array, to: number, quote: number): number {
  let at = to - 1;
  while (bytes[at] !== quote) at--;
  return at;
}

/**
 * A cell that a kernel has no quick way for, by the rules of `observe` and `coerce` themselves: puts its value at `count`
 * and gives the next count, or notes that it is null.
 */
export function loadRare(block: KernelCells, row: number, from: number, to: number, job: LoadJob, out: Scratch, count: number): number {
  const text = cellText(block, from, to);
  if (job.seen !== null) observeCell(job.seen, text);
  let bad = false;
  const data = coerce([text], job.type, job, () => {
    bad = true;
  });
  out.present[row] = data.nulls === 0 ? 1 : 0;
  if (bad) job.onBad(row, text);
  if (data.nulls > 0) {
    out.nulls++;
    return count;
  }
  out.codes[count] = -1;
  if (data.form === "words" || data.form === "pairs" || data.form === "doubles") {
    const words = new Int32Array(data.values.buffer);
    out.words.set(words, count * words.length);
  } else if (data.form === "days") out.words[count] = data.values[0] ?? 0;
  else if (data.form === "bits") out.bools[count] = (data.values[0] ?? 0) & 1;
  else throw new Error(`no kernel of numbers loads ${data.form}`);
  return count + 1;
}
