import { beyond } from "./damage.ts";

/**
 * Memory that the open streams of one stripe hold: windows, dictionaries, runs begun. Each alone is small, but a table may
 * have many thousands of columns, and a block of 256 KiB may come from 300 bytes.
 */
export class HeldBytes {
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts memory before it is taken, or given back (a negative number). Throws `limit_exceeded`. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limit)
      throw beyond("the open columns of an ORC stripe take too much memory", "heldBytes", this.#bytes, this.#limit);
  }
}
