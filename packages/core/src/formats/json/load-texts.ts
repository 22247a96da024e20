import type { Scratch } from "../../columns/scratch.ts";
import { type ColumnCells, ESCAPED_TEXT } from "./column-cells.ts";
import { KIND } from "./scan-value.ts";
import { unescape } from "./text.ts";

/** Bytes behind a text that may be looked at. */
const PADDING = 16;

/** Texts as addresses of their bytes. Where some have escapes, all of the column are copied, those without what they stand for. */
export class TextLoader {
  #copy: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  load(cells: ColumnCells, out: Scratch): void {
    const { starts, ends, kinds, rows } = cells;
    const { present, from, to } = out;
    const escaped = (cells.mask & ESCAPED_TEXT) !== 0;
    if (escaped) this.#reach(cells);
    let count = 0;
    let at = 0;
    for (let row = 0; row < rows; row++) {
      const kind = kinds[row] ?? 0;
      if (kind <= KIND.null) {
        present[row] = 0;
        out.nulls++;
        continue;
      }
      present[row] = 1;
      const start = starts[row] ?? 0;
      const end = ends[row] ?? 0;
      if (!escaped) {
        from[count] = start;
        to[count++] = end;
        continue;
      }
      from[count] = at;
      if (kind === KIND.escaped) at = unescape(cells.bytes, start, end, this.#copy, at);
      else {
        this.#copy.set(cells.bytes.subarray(start, end), at);
        at += end - start;
      }
      to[count++] = at;
    }
    out.count = count;
    out.bytes = escaped ? this.#copy : cells.bytes;
    out.view = escaped ? this.#view : cells.view;
  }

  #reach({ starts, ends, rows }: ColumnCells): void {
    let need = PADDING;
    for (let row = 0; row < rows; row++) need += (ends[row] ?? 0) - (starts[row] ?? 0);
    if (need <= this.#copy.length) return;
    this.#copy = new Uint8Array(need * 2);
    this.#view = new DataView(this.#copy.buffer);
  }
}
