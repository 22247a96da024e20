import type { Scratch } from "../../../columns/scratch.ts";
import type { LoadJob } from "../../direct.ts";
import type { KernelCells } from "../cell-block.ts";
import { cellText, closing, loadRare } from "./load-rare.ts";

/** Four letters as a little-endian word. */
const word = (text: string) => Buffer.from(text).readInt32LE();
const [TRUE_1, TRUE_2, TRUE_3] = [word("true"), word("True"), word("TRUE")];
const [FALS_1, FALS_2, FALS_3] = [word("fals"), word("Fals"), word("FALS")];
const SMALL_E = 101;
const LARGE_E = 69;
/** Where a declared bool may be one character: + 1 for true, -1 for false. */
const LETTERS = new Int8Array(256);
for (const letter of "1tTyY") LETTERS[letter.charCodeAt(0)] = 1;
for (const letter of "0fFnN") LETTERS[letter.charCodeAt(0)] = -1;

/** 1 for true, 0 for false, -1 for neither. */
function boolAt(block: KernelCells, at: number, length: number, declared: boolean): number {
  const { bytes, view } = block;
  if (length === 4) {
    const four = view.getInt32(at, true);
    return four === TRUE_1 || four === TRUE_2 || four === TRUE_3 ? 1 : -1;
  }
  if (length === 5) {
    const four = view.getInt32(at, true);
    const last = bytes[at + 4];
    return ((four === FALS_1 || four === FALS_2) && last === SMALL_E) || (four === FALS_3 && last === LARGE_E) ? 0 : -1;
  }
  const letter = length === 1 && declared ? (LETTERS[bytes[at] ?? 0] ?? 0) : 0;
  return letter === 0 ? -1 : (letter + 1) / 2;
}

export function loadBools(block: KernelCells, column: number, job: LoadJob, out: Scratch): void {
  const { bytes, ends, width, rows, quote, nulls } = block;
  const { bools, present } = out;
  const starts = column === 0 ? block.starts : ends;
  const step = column === 0 ? 1 : width;
  const gap = column === 0 ? 0 : 1;
  let count = 0;
  for (let row = 0, si = column === 0 ? 0 : column - 1, ei = column; row < rows; row++, si += step, ei += width) {
    const from = (starts[si] ?? 0) + gap;
    const to = ends[ei] ?? 0;
    if (from === to || (nulls !== null && nulls[ei] === 1)) {
      present[row] = 0;
      out.nulls++;
      continue;
    }
    const quoted = bytes[from] === quote ? 1 : 0;
    const end = quoted === 1 ? closing(bytes, to, quote) : to;
    const value = boolAt(block, from + quoted, end - from - quoted, job.declared);
    // One letter is a bool for whoever declared it, but not for whoever looks at the file.
    if (value < 0 || (job.seen !== null && end - from - quoted === 1)) {
      count = loadRare(block, row, from, to, job, out, count);
      continue;
    }
    bools[count++] = value;
    present[row] = 1;
    if (job.seen !== null) job.seen.bools++;
  }
  out.count = count;
}

/** Text as addresses of its bytes. What it looks like is for `observeCells` to say. */
export function loadTexts(block: KernelCells, column: number, _job: LoadJob, out: Scratch): void {
  const { bytes, ends, width, rows, quote, nulls, doubled } = block;
  const { present, from: outFrom, to: outTo } = out;
  const starts = column === 0 ? block.starts : ends;
  const step = column === 0 ? 1 : width;
  const gap = column === 0 ? 0 : 1;
  let count = 0;
  for (let row = 0, si = column === 0 ? 0 : column - 1, ei = column; row < rows; row++, si += step, ei += width) {
    const from = (starts[si] ?? 0) + gap;
    const to = ends[ei] ?? 0;
    if (from === to || (nulls !== null && nulls[ei] === 1)) {
      present[row] = 0;
      out.nulls++;
      continue;
    }
    present[row] = 1;
    if (bytes[from] !== quote) {
      outFrom[count] = from;
      outTo[count++] = to;
      continue;
    }
    const end = bytes[to - 1] === quote ? to - 1 : closing(bytes, to, quote);
    outFrom[count] = from + 1;
    outTo[count++] = doubled[ei] === 1 ? ~end : end;
  }
  out.count = count;
  out.bytes = bytes;
  out.view = block.view;
  out.quote = quote;
}

/** A column that holds only nulls: anything else does not fit. */
export function loadNothing(block: KernelCells, column: number, job: LoadJob, out: Scratch): void {
  const { ends, width, rows, nulls } = block;
  for (let row = 0; row < rows; row++) {
    const cell = row * width + column;
    const from = column === 0 ? (block.starts[row] ?? 0) : (ends[cell - 1] ?? 0) + 1;
    const to = ends[cell] ?? 0;
    out.present[row] = 0;
    if (from !== to && nulls?.[cell] !== 1) job.onBad(row, cellText(block, from, to));
  }
  out.nulls = rows;
  out.count = 0;
}
