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

/**
 * Memory for uncompressed pages, in blocks that are used again once every page in them is let go of: fresh memory for each
 * page would be zeroed, faulted in and collected.
 */
export class PageMemory {
  readonly #free: Block[] = [];
  #current: Block = newBlock(0);
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
    if (block !== this.#current && block.memory.length === BLOCK_BYTES) this.#free.push(block);
  }

  #next(bytes: number): void {
    const last = this.#current;
    if (last.held === 0 && last.memory.length === BLOCK_BYTES) this.#free.push(last);
    const next = bytes <= BLOCK_BYTES ? this.#free.pop() : undefined;
    this.#current = next ?? newBlock(Math.max(bytes, BLOCK_BYTES));
  }
}

function newBlock(bytes: number): Block {
  return { memory: new Uint8Array(bytes), used: 0, held: 0 };
}
