import type { BzipBits } from "./bzip2-bits.ts";

const MAX_LENGTH = 20;
/** Codes up to this long are found by one look into a table; nearly all are. */
export const FAST_BITS = 10;

/** The codes of a table contradict each other. */
export class BadCodes extends Error {}

/**
 * Canonical Huffman codes of at most 20 bits. `fast` holds for every FAST_BITS bits the symbol they begin with and the
 * length of its code as `length << 9 | symbol`, 0 where the code is longer; `slow` finds those.
 */
export class HuffmanTable {
  readonly fast = new Uint16Array(1 << FAST_BITS);
  /** By length: the first code that is too high for it, and what to add to a code to find its symbol. */
  readonly #limits = new Int32Array(MAX_LENGTH + 1);
  readonly #offsets = new Int32Array(MAX_LENGTH + 1);
  readonly #symbols: Uint16Array;

  constructor(lengths: Uint8Array) {
    this.#symbols = new Uint16Array(lengths.length);
    let code = 0;
    let count = 0;
    for (let length = 1; length <= MAX_LENGTH; length++) {
      code *= 2;
      this.#offsets[length] = count - code;
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] !== length) continue;
        this.#symbols[count++] = symbol;
        if (length <= FAST_BITS) {
          const from = code << (FAST_BITS - length);
          this.fast.fill((length << 9) | symbol, from, from + (1 << (FAST_BITS - length)));
        }
        code++;
      }
      if (code > 1 << length) throw new BadCodes("Huffman codes that contradict each other");
      this.#limits[length] = code;
    }
  }

  /** The entry, as in `fast`, of a code longer than FAST_BITS which the 20 bits begin with; 0 where there is none. */
  slow(bits: number): number {
    for (let length = FAST_BITS + 1; length <= MAX_LENGTH; length++) {
      const code = bits >>> (MAX_LENGTH - length);
      if (code < this.#limits[length]!) return (length << 9) | this.#symbols[this.#offsets[length]! + code]!;
    }
    return 0;
  }

  /** Code lengths as bzip2 writes them: each as the steps up or down from the one before. */
  static read(bits: BzipBits, alphabet: number): HuffmanTable {
    const lengths = new Uint8Array(alphabet);
    let length = bits.take(5);
    for (let symbol = 0; symbol < alphabet; symbol++) {
      for (;;) {
        if (length < 1 || length > MAX_LENGTH) throw new BadCodes(`a code of ${length} bits`);
        if (bits.take(1) === 0) break;
        length += bits.take(1) === 0 ? 1 : -1;
      }
      lengths[symbol] = length;
    }
    return new HuffmanTable(lengths);
  }
}
