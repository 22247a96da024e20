import type { Cells } from "./row-cells.ts";
import { KIND } from "./scan-value.ts";

const bit = (...kinds: readonly number[]) => kinds.reduce((bits, kind) => bits | (1 << kind), 0);

/** Kinds of values, as bits. */
export const NOTHING: number = bit(KIND.absent, KIND.null);
export const NUMBERS: number = bit(KIND.int, KIND.fraction);
export const BOOLS: number = bit(KIND.true, KIND.false);
export const PLAIN_TEXT: number = bit(KIND.plain);
export const ESCAPED_TEXT: number = bit(KIND.escaped);
export const CONTAINERS: number = bit(KIND.object, KIND.array);
/** No kind: a text without characters is among the values. */
export const EMPTY_TEXT = 1 << 30;

/** One column's values of a block, one after the other, as the kernels for columns of csv take them; null is one of no bytes. */
export class ColumnCells {
  readonly width = 1;
  /** No byte is a quote: the addresses leave it out. */
  readonly quote = -1;
  readonly nulls = null;
  readonly doubled: Uint8Array = new Uint8Array(0);
  rows = 0;
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  starts: Int32Array = new Int32Array(0);
  ends: Int32Array = new Int32Array(0);
  kinds: Uint8Array = new Uint8Array(0);
  /** Which kinds are there. */
  mask = 0;

  /** Takes a column's values; those of the rows in `kept`, or all. */
  gather(cells: Cells, rows: number, kept: Int32Array | null): void {
    if (rows > this.kinds.length) this.#grow(rows);
    if (cells.bytes !== this.bytes) {
      this.bytes = cells.bytes;
      this.view = new DataView(cells.bytes.buffer, cells.bytes.byteOffset, cells.bytes.byteLength);
    }
    this.rows = rows;
    const { starts, ends, kinds } = this;
    const { starts: fromStarts, ends: fromEnds, kinds: fromKinds, first, step } = cells;
    let mask = 0;
    for (let row = 0; row < rows; row++) {
      const c = first + (kept === null ? row : (kept[row] ?? 0)) * step;
      const kind = fromKinds[c] ?? 0;
      const start = fromStarts[c] ?? 0;
      const end = fromEnds[c] ?? 0;
      kinds[row] = kind;
      mask |= 1 << kind;
      if (kind <= KIND.null) {
        starts[row] = 0;
        ends[row] = 0;
        continue;
      }
      starts[row] = start;
      ends[row] = end;
      if (start === end) mask |= EMPTY_TEXT;
    }
    this.mask = mask & ~NOTHING;
  }

  #grow(rows: number): void {
    const size = Math.max(rows, this.kinds.length * 2, 1_024);
    this.starts = new Int32Array(size);
    this.ends = new Int32Array(size);
    this.kinds = new Uint8Array(size);
  }
}
