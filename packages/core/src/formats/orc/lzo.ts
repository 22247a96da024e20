import { damaged } from "./damage.ts";
import { LzOutput } from "./lz-output.ts";

/**
 * An LZO1X block (the stream format as Linux documents it in Documentation/staging/lzo.rst). An instruction's lowest two
 * bits say how many literals follow it; how many did decides what an instruction below 16 means.
 */
export function decodeLzo(input: Uint8Array, limit: number): Uint8Array {
  return new LzoDecoder(input, limit).decode();
}

/** The number of literals before an instruction, where it is more than two bits can say. */
const LONG_RUN = 4;

class LzoDecoder {
  readonly #input: Uint8Array;
  readonly #output: LzOutput;
  #at = 0;

  constructor(input: Uint8Array, limit: number) {
    this.#input = input;
    this.#output = new LzOutput("lzo", Math.min(limit, input.length * 255));
  }

  decode(): Uint8Array {
    let literals = this.#first();
    while (literals >= 0 && this.#at < this.#input.length) literals = this.#instruction(literals);
    return this.#output.done();
  }

  /** A block may begin with literals whose count is told by its first byte. */
  #first(): number {
    const first = this.#input[0] ?? 0;
    if (first <= 17) return 0;
    this.#at = 1;
    return this.#literals(first - 17);
  }

  /** Carries out one instruction. The number of literals that followed it, or -1 at the end of the block. */
  #instruction(before: number): number {
    const code = this.#byte();
    if (code >= 64) {
      const distance = (this.#byte() << 3) + ((code >> 2) & 7) + 1;
      const length = code >= 128 ? 5 + ((code >> 5) & 3) : 3 + ((code >> 5) & 1);
      return this.#match(distance, length, code & 3);
    }
    if (code >= 32) {
      const length = 2 + this.#length(code & 31, 31);
      const tail = this.#byte() | (this.#byte() << 8);
      return this.#match((tail >> 2) + 1, length, tail & 3);
    }
    if (code >= 16) {
      const length = 2 + this.#length(code & 7, 7);
      const tail = this.#byte() | (this.#byte() << 8);
      const distance = 16_384 + ((code & 8) << 11) + (tail >> 2);
      return distance === 16_384 ? -1 : this.#match(distance, length, tail & 3);
    }
    if (before === 0) return this.#literals(3 + this.#length(code, 15));
    const near = (this.#byte() << 2) + (code >> 2) + 1;
    return before === LONG_RUN ? this.#match(near + 2_048, 3, code & 3) : this.#match(near, 2, code & 3);
  }

  #match(distance: number, length: number, literals: number): number {
    this.#output.match(distance, length);
    return this.#literals(literals);
  }

  #literals(count: number): number {
    this.#output.literals(this.#input, this.#at, count);
    this.#at += count;
    return Math.min(count, LONG_RUN);
  }

  /** A length that is 0 in its bits goes on in bytes: each 0 is 255 more, the first other byte ends it. */
  #length(bits: number, most: number): number {
    if (bits !== 0) return bits;
    let total = most;
    let byte = this.#byte();
    for (; byte === 0; byte = this.#byte()) total += 255;
    return total + byte;
  }

  #byte(): number {
    const byte = this.#input[this.#at++];
    if (byte === undefined) throw damaged("an lzo chunk is cut off");
    return byte;
  }
}
