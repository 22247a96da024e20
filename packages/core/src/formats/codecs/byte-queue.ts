/** Chunks of an input as one run of bytes that is read from the front: for codecs which look at headers themselves. */
export class ByteQueue {
  readonly #input: AsyncIterator<Uint8Array>;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Bytes taken so far. */
  taken = 0;

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#input = input[Symbol.asyncIterator]();
  }

  /** Bytes that lie ready. */
  get ready(): Uint8Array {
    return this.#bytes;
  }

  /** Makes at least `count` bytes ready, fewer only where the input ends. */
  async fill(count: number): Promise<Uint8Array> {
    if (this.#bytes.length >= count) return this.#bytes;
    const parts = [this.#bytes];
    let length = this.#bytes.length;
    while (length < count) {
      const { done, value } = await this.#input.next();
      if (done === true) break;
      parts.push(value);
      length += value.length;
    }
    this.#bytes = parts.length === 1 ? this.#bytes : length === parts[1]?.length ? parts[1] : Buffer.concat(parts, length);
    return this.#bytes;
  }

  /** Takes up to `count` bytes of what lies ready. */
  take(count: number): Uint8Array {
    const bytes = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(bytes.length);
    this.taken += bytes.length;
    return bytes;
  }

  /** Lets the input go before its end. */
  async close(): Promise<void> {
    await this.#input.return?.();
  }
}
