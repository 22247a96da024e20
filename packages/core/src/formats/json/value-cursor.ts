import type { DecodedChunk } from "../decompress.ts";
import { type Block, Blocks } from "./blocks.ts";
import type { Cells } from "./row-cells.ts";
import { afterColon, KIND, MORE, OPEN_OBJECT, scan, scanString, scanValue, skipSpace } from "./scan-value.ts";

/**
 * Values of an array, or of an object's members, some at a time: a column of its own beside others. The bytes were
 * checked before.
 */
export class ValueCursor {
  #starts = new Int32Array(0);
  #ends = new Int32Array(0);
  #kinds = new Uint8Array(0);
  /** Where the key of an object's member begins and ends, by value. */
  keyStarts = new Int32Array(0);
  keyEnds = new Int32Array(0);
  #block: Block | null = null;
  #at = 0;
  #labelled = false;
  readonly #blocks: Blocks;
  readonly #iterator: AsyncGenerator<Block>;

  /** `chunks`: the bytes of the array or object, from its bracket to the one that closes it. */
  constructor(chunks: AsyncIterable<DecodedChunk>) {
    this.#blocks = new Blocks(chunks, Number.MAX_SAFE_INTEGER);
    this.#iterator = this.#blocks[Symbol.asyncIterator]();
  }

  /** The next `count` values, or as many as there are; valid until the next call. */
  async take(count: number): Promise<Cells> {
    this.#room(count);
    if (this.#block === null) await this.#open();
    else this.#forget();
    let taken = 0;
    let at = this.#at;
    for (let block = this.#block; block !== null && taken < count;) {
      const next = this.#scan(block, at, taken);
      if (next === MORE) {
        if (block.final) break;
        // What was taken stays where it is: the block grows behind it.
        this.#blocks.keep(0);
        block = await this.#more();
      } else {
        at = next;
        taken++;
      }
    }
    this.#at = at;
    const bytes = this.#block?.bytes ?? new Uint8Array(1);
    return { bytes, starts: this.#starts, ends: this.#ends, kinds: this.#kinds, first: 0, step: 1, count: taken };
  }

  async close(): Promise<void> {
    await this.#iterator.return(undefined);
  }

  async #open(): Promise<void> {
    const block = await this.#more();
    this.#labelled = block?.bytes[block.from] === OPEN_OBJECT;
    this.#at = (block?.from ?? 0) + 1;
  }

  async #more(): Promise<Block | null> {
    const { done, value } = await this.#iterator.next();
    if (!done) this.#block = value;
    return this.#block;
  }

  /** Moves what was not taken yet to the front. */
  #forget(): void {
    if (this.#block === null || this.#block.final) return;
    this.#blocks.keep(this.#at);
    this.#block = { ...this.#block, from: 0, to: this.#block.to - this.#at };
    this.#at = 0;
  }

  /** Notes the value that follows; behind it, or MORE where the block or the array ends. */
  #scan(block: Block, from: number, i: number): number {
    const { bytes, to } = block;
    let at = skipSpace(bytes, from, to);
    if (bytes[at] === 44) at = skipSpace(bytes, at + 1, to);
    if (at >= to - 1) return MORE;
    if (this.#labelled) {
      const end = scanString(bytes, at, to);
      if (end < 0) return MORE;
      this.keyStarts[i] = at + 1;
      this.keyEnds[i] = end - 1;
      at = afterColon(bytes, end, to);
      if (at < 0 || at >= to) return MORE;
    }
    const end = scanValue(bytes, at, to);
    if (end < 0 || end >= to) return MORE;
    const text = scan.kind === KIND.plain || scan.kind === KIND.escaped ? 1 : 0;
    this.#starts[i] = at + text;
    this.#ends[i] = end - text;
    this.#kinds[i] = scan.kind;
    return end;
  }

  #room(count: number): void {
    if (count <= this.#kinds.length) return;
    this.#starts = new Int32Array(count);
    this.#ends = new Int32Array(count);
    this.#kinds = new Uint8Array(count);
    this.keyStarts = new Int32Array(count);
    this.keyEnds = new Int32Array(count);
  }
}
