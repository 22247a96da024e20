import type { DirectBlock, DirectPass } from "../direct.ts";
import { type BlockRows, JsonBlock } from "./direct-block.ts";

/** A pass over rows that come a block at a time, with the raw bytes consumed so far. */
export class JsonPass implements DirectPass {
  rawBytes = 0;
  readonly #block = new JsonBlock();
  readonly #rows: AsyncGenerator<{ readonly rows: BlockRows; readonly rawBytes: number }>;

  constructor(rows: AsyncGenerator<{ readonly rows: BlockRows; readonly rawBytes: number }>) {
    this.#rows = rows;
  }

  async next(): Promise<DirectBlock | null> {
    const { done, value } = await this.#rows.next();
    if (done) return null;
    this.rawBytes = value.rawBytes;
    return this.#block.of(value.rows);
  }

  async close(): Promise<void> {
    await this.#rows.return(undefined);
  }
}
