import { Fault } from "../../domain/fault.ts";
import type { DecodedChunk } from "../decompress.ts";

/** A stretch of the file: bytes[from, to) are to be read; behind `to` stands a NUL. `offset` is the place of bytes[0] in the file. */
export interface Block {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly offset: number;
  readonly final: boolean;
  readonly rawBytes: number;
}

/** Bytes behind a block that may be looked at, so that words can be read up to its end. */
const PADDING = 16;

/**
 * The file in blocks that begin where the last one was not read any further. One buffer for all: a block is valid until the
 * next is asked for. A value that outgrows its block is waited for until the block has doubled, so that long ones cost linear time.
 */
export class Blocks {
  #buffer = Buffer.alloc(0);
  #length = 0;
  #offset = 0;
  #wanted = 0;
  readonly #chunks: AsyncIterable<DecodedChunk>;
  readonly #recordBytes: number;

  /** `offset`: the place of the first chunk in the file. */
  constructor(chunks: AsyncIterable<DecodedChunk>, recordBytes: number, offset = 0) {
    this.#chunks = chunks;
    this.#recordBytes = recordBytes;
    this.#offset = offset;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Block> {
    let rawBytes = 0;
    let from = -1;
    for await (const chunk of this.#chunks) {
      rawBytes = chunk.rawBytes;
      this.#append(chunk.bytes);
      if (from < 0) {
        if (this.#length < 3) continue;
        from = this.#mark();
      }
      if (this.#length < this.#wanted) continue;
      yield this.#block(from, false, rawBytes);
      from = 0;
    }
    yield this.#block(from < 0 ? this.#mark() : from, true, rawBytes);
  }

  /** The block was read up to `at`. Throws `limit_exceeded` when what is left is longer than a record may be. */
  keep(at: number): void {
    const rest = this.#length - at;
    if (rest > this.#recordBytes) throw recordTooLong(this.#recordBytes, this.#offset + at);
    this.#buffer.copyWithin(0, at, this.#length);
    this.#offset += at;
    this.#length = rest;
    this.#buffer[rest] = 0;
    this.#wanted = at === 0 ? Math.min(rest * 2, this.#recordBytes + 1) : 0;
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length + PADDING > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length + PADDING, Math.floor(this.#buffer.length * 1.5)));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  /** The length of a byte order mark. */
  #mark(): number {
    return this.#length >= 3 && this.#buffer[0] === 0xef && this.#buffer[1] === 0xbb && this.#buffer[2] === 0xbf ? 3 : 0;
  }

  #block(from: number, final: boolean, rawBytes: number): Block {
    if (this.#buffer.length === 0) this.#buffer = Buffer.alloc(PADDING);
    this.#buffer[this.#length] = 0;
    return { bytes: this.#buffer, from, to: this.#length, offset: this.#offset, final, rawBytes };
  }
}

export function recordTooLong(limit: number, at: number): Fault {
  return new Fault("limit_exceeded", `a value that begins at byte ${at} is longer than ${limit} bytes (limit recordBytes)`, {
    field: "recordBytes",
    limit,
  });
}
