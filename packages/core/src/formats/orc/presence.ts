import type { ByteStream } from "./byte-stream.ts";
import { RleBits } from "./rle-byte.ts";

/** Which rows have a value: a byte each, 1 where there is one. null: all have. */
export interface Presence {
  readonly rows: number;
  readonly count: number;
  readonly bytes: Uint8Array | null;
}

export function allPresent(rows: number): Presence {
  return { rows, count: rows, bytes: null };
}

/** Bits of one column, for the rows in which its parent has a value. */
export class PresentReader {
  readonly #stream: ByteStream | null;
  readonly #bits: RleBits | null;

  /** null: the stripe has no such stream, so every value is there. */
  constructor(stream: ByteStream | null) {
    this.#stream = stream;
    this.#bits = stream && new RleBits(stream);
  }

  async read(parent: Presence): Promise<Presence> {
    if (this.#bits === null || parent.count === 0) return parent;
    this.#stream?.check(Math.floor(parent.count / BITS_A_BYTE));
    const { bits, ones } = await this.#bits.read(parent.count);
    if (parent.bytes === null) return { rows: parent.rows, count: ones, bytes: ones === parent.rows ? null : bits };
    const bytes = new Uint8Array(parent.rows);
    for (let row = 0, bit = 0; row < parent.rows; row++) if (parent.bytes[row]) bytes[row] = bits[bit++] ?? 0;
    return { rows: parent.rows, count: ones, bytes };
  }
}

/** Most bits that a byte stands for: two bytes are a run of 130 bytes of 8 bits. */
const BITS_A_BYTE = 520;

/** The same as a bitmap, least significant bit first, in memory of its own. */
export function validityOf({ rows, count, bytes }: Presence): { rows: number; nulls: number; validity: Uint8Array | null } {
  if (bytes === null) return { rows, nulls: 0, validity: null };
  return { rows, nulls: rows - count, validity: bitmapOf(bytes, rows) };
}

/** A bitmap of bytes that are 0 or 1. */
export function bitmapOf(bytes: Uint8Array, rows: number): Uint8Array {
  const bitmap = new Uint8Array((rows + 7) >> 3);
  for (let row = 0; row < rows; row++) if (bytes[row]) bitmap[row >> 3] = (bitmap[row >> 3] ?? 0) | (1 << (row & 7));
  return bitmap;
}

/**
 * Moves `presence.count` values at the front of `values` to the rows that have one, in place; other rows become 0.
 * `width` elements a value.
 */
export function spread(values: Int32Array | Float64Array | Uint8Array, { rows, count, bytes }: Presence, width: 1 | 2): void {
  if (bytes === null) return;
  let from = count;
  for (let row = rows - 1; row >= 0; row--) {
    const has = bytes[row] === 1;
    if (has) from--;
    for (let i = 0; i < width; i++) values[row * width + i] = has ? (values[from * width + i] ?? 0) : 0;
  }
}
