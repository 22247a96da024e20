import { type BzipBits, BzipEnd } from "./bzip2-bits.ts";
import { FAST_BITS, HuffmanTable } from "./bzip2-huffman.ts";

/**
 * One block of a bzip2 stream, from its bits to its bytes. There is no standard; the stages, as every implementation has them:
 * Huffman codes in groups of 50 symbols, each group with one of 2 to 6 tables -> move-to-front and run lengths of its first
 * symbol (RUNA, RUNB) -> inverse Burrows-Wheeler -> run lengths of four equal bytes and a count.
 */

/** Why a block cannot be decoded. */
export class BzipError extends Error {}

const GROUP = 50;
/** Symbol 0 stands for one, symbol 1 for two of the byte in front, each weighing twice the one before. */
const RUN_B = 1;
const MAX_CODE_BITS = 20;

/** Memory for the blocks of one stream, used again for each. */
export class BzipBlock {
  /** Low byte: the byte at this place of the sorted column; above it: where the next one stands. */
  readonly #links: Uint32Array;
  readonly #capacity: number;
  readonly #selectors = new Uint8Array(32_768);
  #at = 0;
  #left = 0;
  /** State of the last stage: how many equal bytes came one after the other, and what is still to be repeated. */
  #run = 0;
  #last = -1;
  #repeat = 0;

  /** `level` 1 to 9: blocks of that many times 100,000 bytes before the last stage. */
  constructor(level: number) {
    this.#capacity = level * 100_000;
    this.#links = new Uint32Array(this.#capacity);
  }

  /** Reads a block whose magic and checksum have been read. Throws `BzipError`, `BzipEnd` where the bits end. */
  read(bits: BzipBits): void {
    if (bits.take(1) === 1) throw new BzipError("a randomised block, which nothing has written since 1997");
    const origin = bits.take(24);
    const symbols = readSymbolMap(bits);
    const tables = this.#readTables(bits, symbols.length + 2);
    const length = this.#readCodes(bits, symbols, tables.list, tables.selectors);
    if (origin >= length) throw new BzipError(`the block begins at byte ${origin} of ${length}`);
    this.#linkUp(length);
    this.#at = this.#links[origin]! >>> 8;
    this.#left = length;
    this.#run = 0;
    this.#last = -1;
    this.#repeat = 0;
  }

  #readTables(bits: BzipBits, alphabet: number): { list: HuffmanTable[]; selectors: number } {
    const count = bits.take(3);
    if (count < 2 || count > 6) throw new BzipError(`${count} Huffman tables`);
    const selectors = bits.take(15);
    if (selectors === 0) throw new BzipError("no selectors");
    const recent = Uint8Array.from({ length: count }, (_, i) => i);
    for (let i = 0; i < selectors; i++) {
      let at = 0;
      while (bits.take(1) === 1) {
        if (++at >= count) throw new BzipError("a selector beyond the tables");
      }
      const table = recent[at]!;
      recent.copyWithin(1, 0, at);
      recent[0] = table;
      this.#selectors[i] = table;
    }
    return { list: Array.from({ length: count }, () => HuffmanTable.read(bits, alphabet)), selectors };
  }

  /**
   * The Huffman and move-to-front stages in one loop, with the bits in local variables: half of all time is spent here. The bytes
   * land in the low bytes of the links. Returns how many there are.
   */
  #readCodes(bits: BzipBits, symbols: Uint8Array, tables: readonly HuffmanTable[], selectors: number): number {
    const links = this.#links;
    const capacity = this.#capacity;
    const { bytes } = bits;
    const recent = symbols.slice();
    const end = symbols.length + 1;
    let { at, hold, have } = bits;
    let length = 0;
    let run = 0;
    let weight = 1;
    for (let group = 0; group < selectors; group++) {
      const table = tables[this.#selectors[group]!]!;
      const { fast } = table;
      if (at - (have >> 3) > bytes.length) throw new BzipEnd("the bits end");
      for (let i = 0; i < GROUP; i++) {
        while (have < MAX_CODE_BITS) {
          hold = (hold << 8) | (at < bytes.length ? bytes[at]! : 0);
          at++;
          have += 8;
        }
        const code = (hold >>> (have - MAX_CODE_BITS)) & ((1 << MAX_CODE_BITS) - 1);
        const entry = fast[code >>> (MAX_CODE_BITS - FAST_BITS)]! || table.slow(code);
        if (entry === 0) throw endOr(at, have, bytes, "a code that no table has");
        have -= entry >>> 9;
        const symbol = entry & 511;
        if (symbol <= RUN_B) {
          if (weight > capacity) throw endOr(at, have, bytes, "a run that is longer than a block");
          run += weight << symbol;
          weight *= 2;
          continue;
        }
        if (run > 0) {
          if (length + run > capacity) throw endOr(at, have, bytes, "more bytes than a block holds");
          links.fill(recent[0]!, length, length + run);
          length += run;
          run = 0;
          weight = 1;
        }
        if (symbol === end) {
          bits.at = at;
          bits.hold = hold;
          bits.have = have;
          if (bits.used > bytes.length) throw new BzipEnd("the bits end");
          return length;
        }
        if (length >= capacity) throw endOr(at, have, bytes, "more bytes than a block holds");
        const place = symbol - 1;
        const byte = recent[place]!;
        if (place < 16) for (let k = place; k > 0; k--) recent[k] = recent[k - 1]!;
        else recent.copyWithin(1, 0, place);
        recent[0] = byte;
        links[length++] = byte;
      }
    }
    throw endOr(at, have, bytes, "the block has no end");
  }

  /** Inverse Burrows-Wheeler: the nth of a byte in the last column is the nth of it in the sorted one. */
  #linkUp(length: number): void {
    const links = this.#links;
    const starts = new Uint32Array(257);
    for (let i = 0; i < length; i++) starts[(links[i]! & 255) + 1]!++;
    for (let i = 1; i < 257; i++) starts[i]! += starts[i - 1]!;
    for (let i = 0; i < length; i++) {
      const byte = links[i]! & 255;
      const at = starts[byte]!++;
      links[at] = links[at]! | (i << 8);
    }
  }

  /** Writes the block's next bytes into `out`, from the start; fewer than it holds only at the block's end. Returns how many. */
  write(out: Uint8Array): number {
    const links = this.#links;
    const size = out.length;
    let at = this.#at;
    let left = this.#left;
    let run = this.#run;
    let last = this.#last;
    let repeat = this.#repeat;
    let n = 0;
    for (;;) {
      if (repeat > 0) {
        const count = Math.min(repeat, size - n);
        out.fill(last, n, n + count);
        n += count;
        repeat -= count;
      }
      if (n === size || left === 0) break;
      const link = links[at]!;
      at = link >>> 8;
      const byte = link & 255;
      left--;
      if (run === 4) {
        repeat = byte;
        run = 0;
        continue;
      }
      run = byte === last ? run + 1 : 1;
      last = byte;
      out[n++] = byte;
    }
    this.#at = at;
    this.#left = left;
    this.#run = run;
    this.#last = last;
    this.#repeat = repeat;
    return n;
  }
}

/** Past their end the bytes count as zeros until somebody looks: what those led to is no fault of the block. */
function endOr(at: number, have: number, bytes: Uint8Array, why: string): Error {
  return at - (have >> 3) > bytes.length ? new BzipEnd("the bits end") : new BzipError(why);
}

/** Two levels of bitmaps: which sixteenths of the byte values are used, then which values of those. */
function readSymbolMap(bits: BzipBits): Uint8Array {
  const used = bits.take(16);
  const symbols: number[] = [];
  for (let high = 0; high < 16; high++) {
    if ((used & (0x8000 >> high)) === 0) continue;
    const map = bits.take(16);
    for (let low = 0; low < 16; low++) if ((map & (0x8000 >> low)) !== 0) symbols.push(high * 16 + low);
  }
  if (symbols.length === 0) throw new BzipError("no symbols");
  return Uint8Array.from(symbols);
}
