import type { Chunks } from "./chunks.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { damaged } from "./damage.ts";

/** More bytes than one run of any encoding takes: patched base, 512 values of 8 bytes, 31 patches of 8 and their heads. */
export const RUN_BYTES = 4_608;

const NOTHING = new Uint8Array(0);

/**
 * A window on a stream's decoded bytes. Decoders read `bytes` from `at` to `end` and move `at`; unless `atEnd`, they stop
 * before a run that may not be whole in the window, and `more` brings the next bytes.
 */
export class ByteStream {
  bytes: Uint8Array = NOTHING;
  at = 0;
  end = 0;
  readonly held: HeldBytes;
  readonly #chunks: Chunks | null;

  /** null: a stream that the stripe does not have, which is one without bytes. */
  constructor(chunks: Chunks | null, held: HeldBytes) {
    this.#chunks = chunks;
    this.held = held;
  }

  /** True when nothing lies behind the window. */
  get atEnd(): boolean {
    return this.#chunks === null || this.#chunks.done;
  }

  /** True when a run at `at` is whole in the window, or cut off for good. */
  get ready(): boolean {
    return this.end - this.at >= RUN_BYTES || this.atEnd;
  }

  /** Throws unless `length` more bytes may be there: asked before memory is taken for what they hold. */
  check(length: number): void {
    const most = this.end - this.at + (this.#chunks?.most ?? 0);
    if (length > most) throw damaged(`a stream should hold ${length} more bytes, at most ${most} are there`);
  }

  /** Widens the window until it is `ready`. What decoders were given of it before is no longer theirs. */
  async more(): Promise<void> {
    while (this.#chunks !== null && !this.ready) this.#append(await this.#chunks.next());
  }

  /** The next `length` bytes copied to `target` from `to`. Throws where the stream has fewer. */
  async copy(target: Uint8Array, to: number, length: number): Promise<void> {
    for (let at = to, left = length; left > 0;) {
      if (this.at === this.end) {
        if (this.#chunks === null || this.#chunks.done) throw damaged("a stream of bytes ends before its values do");
        this.#append(await this.#chunks.next());
      }
      const part = this.bytes.subarray(this.at, Math.min(this.end, this.at + left));
      target.set(part, at);
      this.at += part.length;
      at += part.length;
      left -= part.length;
    }
  }

  #append(chunk: Uint8Array): void {
    const rest = this.bytes.subarray(this.at, this.end);
    this.held.add(rest.length + chunk.length - this.bytes.length);
    this.bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.at = 0;
    this.end = this.bytes.length;
  }
}
