/**
 * Where a reader puts the values of one column of one block before they are stored: those that are there, one after the
 * other. One for all columns, overwritten by each. `words` holds 1, 2 or 4 32-bit words a value as `DenseValues` has them
 * (days; halves of 64 bits, doubles; quarters of a decimal), bools one byte a value in `bools`, text as addresses
 * [from, to) of `bytes`; where `to` is negative, the text ends at `~to` and may hold doubled quotes, each meaning one.
 */
export class Scratch {
  rows = 0;
  nulls = 0;
  count = 0;
  /** One byte a row; means something where `nulls` is not 0. */
  present: Uint8Array = new Uint8Array(0);
  words: Int32Array = new Int32Array(0);
  doubles: Float64Array = new Float64Array(0);
  bools: Uint8Array = new Uint8Array(0);
  /** A small number from 0 that stands for the value and no other in this column, or -1. */
  codes: Int32Array = new Int32Array(0);
  from: Int32Array = new Int32Array(0);
  to: Int32Array = new Int32Array(0);
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** The quote that may be doubled. */
  quote = 0;

  /** Empties it and makes room for so many rows. */
  begin(rows: number): void {
    if (rows > this.present.length) this.#grow(rows);
    this.rows = rows;
    this.nulls = 0;
    this.count = 0;
  }

  #grow(rows: number): void {
    const room = Math.max(rows, this.present.length * 2, 1024);
    this.present = new Uint8Array(room);
    this.words = new Int32Array(room * 4);
    this.doubles = new Float64Array(this.words.buffer);
    this.bools = new Uint8Array(room);
    this.codes = new Int32Array(room);
    this.from = new Int32Array(room);
    this.to = new Int32Array(room);
  }
}
