import type { CellBlock } from "./cell-block.ts";
import { cellText } from "./kernels/load-rare.ts";

/** Finds the cells that hold one of the texts for null. */
export class NullMarks {
  readonly #texts: ReadonlySet<string>;
  /** First bytes of the texts, and whether the empty one is among them. */
  readonly #firsts = new Uint8Array(256);
  readonly #empty: boolean;
  /** Bytes of the longest text; a quoted cell may be longer and still hold it. */
  readonly #longest: number;
  #marks: Uint8Array = new Uint8Array(0);

  constructor(texts: ReadonlySet<string>) {
    this.#texts = texts;
    this.#empty = this.#texts.has("");
    const bytes = Array.from(texts, (text) => Buffer.from(text));
    for (const text of bytes) this.#firsts[text[0] ?? 0] = 1;
    this.#longest = Math.max(...bytes.map((text) => text.length));
  }

  mark(block: CellBlock): void {
    const { bytes, starts, ends, width, rows, quote } = block;
    if (this.#marks.length < ends.length) this.#marks = new Uint8Array(ends.length);
    const marks = this.#marks;
    for (let row = 0, cell = 0; row < rows; row++) {
      let from = starts[row] ?? 0;
      for (let last = cell + width; cell < last; cell++) {
        const to = ends[cell] ?? 0;
        const c = bytes[from] ?? 0;
        marks[cell] = 0;
        if (c === quote) {
          if ((this.#empty || this.#firsts[bytes[from + 1] ?? 0] === 1 || bytes[from + 1] === quote) && from < to) {
            if (this.#texts.has(cellText(block, from, to))) marks[cell] = 1;
          }
        } else if (this.#firsts[c] === 1 && to - from <= this.#longest && from < to) {
          if (this.#texts.has(cellText(block, from, to))) marks[cell] = 1;
        }
        from = to + 1;
      }
    }
    block.nulls = marks;
  }
}
