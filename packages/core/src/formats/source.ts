import { Fault } from "../domain/fault.ts";

/** Random access to a file's raw bytes. */
export interface Source {
  readonly size: number;
  /** Exactly the bytes [from, to), `to` being cut at the end. Throws a platform fault when they are not to be had. */
  read(from: number, to: number): Promise<Uint8Array>;
  /** Takes back what `read` gave, once, when nobody looks at it any more. */
  recycle?(bytes: Uint8Array): void;
}

/** Raw bytes behind a `read` that may answer short. `failure` is what it last threw, for readers that swallow errors. */
export class ReadSource implements Source {
  readonly size: number;
  failure: unknown = null;
  readonly #read: (offset: number, length: number) => Promise<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #recycle: ((bytes: Uint8Array) => void) | undefined;

  constructor(
    size: number,
    read: (offset: number, length: number) => Promise<Uint8Array>,
    signal: AbortSignal,
    recycle?: (bytes: Uint8Array) => void,
  ) {
    this.#recycle = recycle;
    this.size = size;
    this.#read = read;
    this.#signal = signal;
  }

  async read(from: number, to: number): Promise<Uint8Array> {
    const end = Math.min(to, this.size);
    if (from >= end) return new Uint8Array(0);
    try {
      const first = await this.#readSome(from, end - from);
      if (first.length === end - from) return first;
      const whole = new Uint8Array(end - from);
      whole.set(first);
      for (let at = first.length; at < whole.length;) {
        const more = await this.#readSome(from + at, whole.length - at);
        whole.set(more, at);
        at += more.length;
      }
      return whole;
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }

  recycle(bytes: Uint8Array): void {
    this.#recycle?.(bytes);
  }

  async #readSome(offset: number, length: number): Promise<Uint8Array> {
    this.#signal.throwIfAborted();
    const bytes = await this.#read(offset, length);
    if (bytes.length === 0 || bytes.length > length) {
      throw new Fault("store_unavailable", `raw bytes end at ${offset}, but the file has ${this.size}`);
    }
    return bytes;
  }
}
