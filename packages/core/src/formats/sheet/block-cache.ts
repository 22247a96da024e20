import type { SheetBlock } from "./sheet-table.ts";

/** Cells of about six million. What is larger is read again. */
const KEPT_BYTES = 64 * 2 ** 20;

/** Keeps the blocks of sheets that are small enough, so that a second pass need not read them again. */
export class BlockCache {
  readonly #kept = new Map<string, readonly SheetBlock[]>();
  readonly #most: number;
  #bytes = 0;

  constructor(most = KEPT_BYTES) {
    this.#most = most;
  }

  /** The blocks of the sheet `key`: those that were kept, or as `read` gives them. `expected` bytes that do not fit are not tried. */
  async *through(key: string, expected: number, read: () => AsyncIterable<SheetBlock>): AsyncGenerator<SheetBlock> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return yield* kept;
    let mine: SheetBlock[] | null = this.#bytes + expected <= this.#most ? [] : null;
    let bytes = 0;
    for await (const each of read()) {
      if (mine !== null) {
        bytes += each.block.trim().bytes;
        if (this.#bytes + bytes <= this.#most) mine.push(each);
        else mine = null;
      }
      yield each;
    }
    if (mine === null || this.#kept.has(key)) return;
    this.#kept.set(key, mine);
    this.#bytes += bytes;
  }
}
