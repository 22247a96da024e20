import type { ByteStream } from "./byte-stream.ts";
import { damaged } from "./damage.ts";

/**
 * Bytes in runs: a control byte of 0..127 repeats the next byte 3..130 times, one of 128..255 is followed by 256 minus
 * that many bytes as they are (ORC specification, "Byte Run Length Encoding").
 */
export class RleBytes {
  readonly #stream: ByteStream;
  #left = 0;
  #repeated = false;
  #value = 0;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** Fills `out` with the next `count` bytes. Throws where the stream has fewer. */
  async read(out: Uint8Array, count: number): Promise<void> {
    for (let at = 0; at < count;) {
      at = this.#fill(out, at, count);
      if (at < count) await this.#stream.more();
    }
  }

  #fill(out: Uint8Array, from: number, to: number): number {
    const stream = this.#stream;
    let at = from;
    while (at < to) {
      if (this.#left === 0) {
        if (!stream.ready) break;
        this.#head();
      }
      const count = Math.min(this.#left, to - at);
      if (this.#repeated) out.fill(this.#value, at, at + count);
      else {
        for (let i = 0; i < count; i++) out[at + i] = stream.bytes[stream.at + i] ?? 0;
        stream.at += count;
      }
      this.#left -= count;
      at += count;
    }
    return at;
  }

  #head(): void {
    const stream = this.#stream;
    if (stream.end - stream.at < 2) throw damaged("a run of bytes is cut off");
    const control = stream.bytes[stream.at++] ?? 0;
    this.#repeated = control < 128;
    if (this.#repeated) {
      this.#left = control + 3;
      this.#value = stream.bytes[stream.at++] ?? 0;
    } else {
      this.#left = 256 - control;
      if (this.#left > stream.end - stream.at) throw damaged("a run of bytes is cut off");
    }
  }
}

/** Bits in bytes, the most significant first (ORC specification, "Boolean Run Length Encoding"). */
export class RleBits {
  readonly #bytes: RleBytes;
  #scratch = new Uint8Array(0);
  #held = 0;
  /** How many of the held bits are not yet given out. */
  #left = 0;

  constructor(stream: ByteStream) {
    this.#bytes = new RleBytes(stream);
  }

  /** The next `count` bits, a byte each, and how many of them are 1. */
  async read(count: number): Promise<{ bits: Uint8Array; ones: number }> {
    const bits = new Uint8Array(count);
    let [at, ones] = [0, 0];
    for (; at < count && this.#left > 0; at++) ones += bits[at] = (this.#held >> --this.#left) & 1;
    const bytes = (count - at + 7) >> 3;
    if (this.#scratch.length < bytes) this.#scratch = new Uint8Array(bytes);
    await this.#bytes.read(this.#scratch, bytes);
    for (let i = 0; i < bytes; i++) {
      const byte = this.#scratch[i] ?? 0;
      const here = Math.min(8, count - at);
      for (let bit = 7; bit > 7 - here; bit--) ones += bits[at++] = (byte >> bit) & 1;
      this.#held = byte;
      this.#left = 8 - here;
    }
    return { bits, ones };
  }
}
