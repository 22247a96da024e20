import { createGunzip, createInflateRaw } from "node:zlib";
import { broken, cutOff, garbageAfter, type Inflated, OUTPUT_BYTES } from "./codec.ts";
import { isZlibError, type NodeDecoder, throughDecoder } from "./node-stream.ts";

/** gzip with all its members (RFC 1952); zeros after the last one are padding. */
export function gunzip(input: AsyncIterable<Uint8Array>): AsyncGenerator<Inflated> {
  return inflate("gzip", createGunzip({ chunkSize: OUTPUT_BYTES }), input);
}

/** Bare deflate (RFC 1951), as a zip's members are. */
export function inflateRaw(input: AsyncIterable<Uint8Array>): AsyncGenerator<Inflated> {
  return inflate("deflate", createInflateRaw({ chunkSize: OUTPUT_BYTES }), input);
}

async function* inflate(codec: string, decoder: NodeDecoder, input: AsyncIterable<Uint8Array>): AsyncGenerator<Inflated> {
  const fed = new FedChunks(input);
  let decoded = 0;
  try {
    for await (const part of throughDecoder(
      decoder,
      fed.chunks(() => decoder.bytesWritten),
    )) {
      decoded += part.bytes.length;
      yield part;
    }
    await fed.checkRest(codec, decoder.bytesWritten);
  } catch (error) {
    if (!isZlibError(error)) throw error;
    if (error.code === "Z_BUF_ERROR") throw cutOff(codec, decoded, error);
    throw broken(codec, error.message, decoded, error);
  } finally {
    await fed.close();
  }
}

/**
 * The decoder goes on with the next member by itself, refuses what is none, and stops without a word at a zero. So what it
 * was fed is kept until it is used up, and all that is left in the end must be zeros.
 */
class FedChunks {
  readonly #input: AsyncIterator<Uint8Array>;
  #kept: { readonly from: number; readonly bytes: Uint8Array }[] = [];
  #fed = 0;
  #ended = false;

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#input = input[Symbol.asyncIterator]();
  }

  async *chunks(usedUp: () => number): AsyncGenerator<Uint8Array> {
    for (let bytes = await this.#next(); bytes !== null; bytes = await this.#next()) {
      const used = usedUp();
      this.#kept = this.#kept.filter((chunk) => chunk.from + chunk.bytes.length > used);
      this.#kept.push({ from: this.#fed - bytes.length, bytes });
      yield bytes;
    }
  }

  async #next(): Promise<Uint8Array | null> {
    if (this.#ended) return null;
    const { done, value } = await this.#input.next();
    if (done === true) {
      this.#ended = true;
      return null;
    }
    this.#fed += value.length;
    return value;
  }

  async close(): Promise<void> {
    await this.#input.return?.();
  }

  async checkRest(codec: string, end: number): Promise<void> {
    const check = (bytes: Uint8Array) => {
      if (bytes.some((byte) => byte !== 0)) throw garbageAfter(codec, end);
    };
    for (const { from, bytes } of this.#kept) check(bytes.subarray(Math.max(0, end - from)));
    for (let bytes = await this.#next(); bytes !== null; bytes = await this.#next()) check(bytes);
  }
}
