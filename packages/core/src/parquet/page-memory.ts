/** Bytes of one page, and the block they lie in. */
export interface PageBytes {
  readonly bytes: Uint8Array;
  readonly block: Block;
}

interface Block {
  readonly memory: Uint8Array;
  used: number;
  /** Pages in it that are not let go of. */
  held: number;
}

const BLOCK_BYTES = 4 * 2 ** 20;
/** Free blocks that are kept for the next file. */
const KEPT_BLOCKS = 6;
const free: Block[] = [];
const NO_BLOCK: Block = { memory: new Uint8Array(0), used: 0, held: 0 };

/**
 * Memory for uncompressed pages, in blocks that are used again, by the next file too, once every page in them is let go of:
 * fresh memory for each page would be zeroed, faulted in and collected.
 */
export class PageMemory {
  #current: Block = NO_BLOCK;
  /** Bytes of pages that are held. */
  held = 0;

  /** Room for one page; valid until the next call of `room`, unless it is kept. */
  room(bytes: number): Uint8Array {
    if (this.#current.memory.length - this.#current.used < bytes) this.#next(bytes);
    return this.#current.memory.subarray(this.#current.used);
  }

  /** The first bytes of the room, kept until they are let go of. */
  keep(length: number): PageBytes {
    const block = this.#current;
    const bytes = block.memory.subarray(block.used, block.used + length);
    // The next page begins at a multiple of 8, for whoever looks at it in words.
    block.used = Math.min(block.used + ((length + 7) & ~7), block.memory.length);
    block.held++;
    this.held += length;
    return { bytes, block };
  }

  release(page: PageBytes): void {
    const { block } = page;
    this.held -= page.bytes.length;
    if (--block.held > 0) return;
    block.used = 0;
    if (block !== this.#current) giveBack(block);
  }

  /** Ends the use of the memory. What is held still is let go of later as ever. */
  close(): void {
    const last = this.#current;
    this.#current = NO_BLOCK;
    if (last.held === 0) giveBack(last);
  }

  #next(bytes: number): void {
    const last = this.#current;
    const next = bytes <= BLOCK_BYTES ? free.pop() : undefined;
    this.#current = next ?? newBlock(Math.max(bytes, BLOCK_BYTES));
    if (last.held === 0) giveBack(last);
  }
}

function giveBack(block: Block): void {
  block.used = 0;
  if (block.memory.length === BLOCK_BYTES && free.length < KEPT_BLOCKS) free.push(block);
}

function newBlock(bytes: number): Block {
  return { memory: new Uint8Array(bytes), used: 0, held: 0 };
}
