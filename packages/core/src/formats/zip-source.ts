import { callbackify } from "node:util";
import { RandomAccessReader } from "yauzl";
import type { Source } from "./source.ts";

/** What is read ahead: a directory entry is 46 bytes and its name, and every read of a source is a round trip. */
const WINDOW_BYTES = 128 * 1024;

/** A source as yauzl reads from it, with the bytes around the last read kept. */
export class SourceReader extends RandomAccessReader {
  readonly #source: Source;
  #from = 0;
  #window: Uint8Array = new Uint8Array(0);

  constructor(source: Source) {
    super();
    this.#source = source;
  }

  /** As yauzl calls it: the callback also takes how many bytes there were, which its types do not say. */
  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (err: Error | null, bytesRead?: number) => void,
  ): void {
    const into = async () => {
      const bytes = await this.#bytes(position, length);
      buffer.set(bytes, offset);
      return bytes.length;
    };
    callbackify(into)((error, bytesRead) => callback(error, bytesRead));
  }

  async #bytes(position: number, length: number): Promise<Uint8Array> {
    const within = position - this.#from;
    if (within >= 0 && within + length <= this.#window.length) return this.#window.subarray(within, within + length);
    if (position >= this.#source.size) return new Uint8Array(0);
    this.#window = await this.#source.read(position, position + Math.max(length, WINDOW_BYTES));
    this.#from = position;
    return this.#window.subarray(0, length);
  }

  override close(callback: (err: Error | null) => void): void {
    callback(null);
  }
}
