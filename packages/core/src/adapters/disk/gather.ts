const BLOCK_BYTES = 1 << 20;
const SMALL_BYTES = 16 << 10;
const TAIL_BYTES = 64 << 10;

/**
 * Gathers chunks into lists of about 1 MiB for one writev each. Chunks of 16 KiB and more are kept as they are, smaller
 * ones copied together: a source of single bytes costs a copy, not a write each, and a socket's 64 KiB no copy at all.
 */
export class Gatherer {
  #blocks: Uint8Array[] = [];
  #tail: Buffer | null = null;
  #tailUsed = 0;
  #bytes = 0;

  /** Takes a chunk, which its source must not change any more. */
  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (chunk.length >= SMALL_BYTES) {
      this.#seal();
      this.#blocks.push(chunk);
      return;
    }
    if (this.#tail !== null && this.#tailUsed + chunk.length > TAIL_BYTES) this.#seal();
    this.#tail ??= Buffer.allocUnsafeSlow(TAIL_BYTES);
    this.#tail.set(chunk, this.#tailUsed);
    this.#tailUsed += chunk.length;
  }

  get isFull(): boolean {
    return this.#bytes >= BLOCK_BYTES;
  }

  /** What was gathered, and begins anew. */
  take(): Uint8Array[] {
    this.#seal();
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#bytes = 0;
    return blocks;
  }

  #seal(): void {
    if (this.#tail === null) return;
    this.#blocks.push(this.#tail.subarray(0, this.#tailUsed));
    this.#tail = null;
    this.#tailUsed = 0;
  }
}
