import type { ByteStream } from "./byte-stream.ts";
import { damaged } from "./damage.ts";

/**
 * Whole numbers in runs, decoded to halves (words.ts). A version says how many values the next run has and decodes it;
 * here a run that is longer than what is asked for is kept for the next time.
 */
export abstract class RleInts {
  readonly stream: ByteStream;
  readonly signed: boolean;
  #spare: Int32Array | null = null;
  #spareAt = 0;
  #spareEnd = 0;
  /** The number that `varint` read last. */
  low = 0;
  high = 0;

  constructor(stream: ByteStream, signed: boolean) {
    this.stream = stream;
    this.signed = signed;
  }

  /** How many values the run at the stream's place has. At least one byte is there. */
  protected abstract runLength(): number;
  /** Decodes the run to `out` from number `at`, and moves on behind it. Throws where it is cut off. */
  protected abstract decodeRun(out: Int32Array, at: number, count: number): void;

  /** The next `count` numbers to `out` from number `from`. Throws where the stream has fewer. */
  async read(out: Int32Array, count: number, from = 0): Promise<void> {
    const to = from + count;
    for (let at = from; at < to;) {
      at = this.#fill(out, at, to);
      if (at < to) await this.stream.more();
    }
  }

  /** Up to `count` numbers to `out`, fewer only at the stream's end. How many they were. */
  async readSome(out: Int32Array, count: number): Promise<number> {
    for (let at = 0; ;) {
      at = this.#fill(out, at, count, true);
      if (at === count || (this.stream.atEnd && this.stream.at === this.stream.end)) return at;
      await this.stream.more();
    }
  }

  #fill(out: Int32Array, from: number, to: number, mayEnd = false): number {
    const { stream } = this;
    let at = from;
    while (at < to) {
      if (this.#spare !== null && this.#spareAt < this.#spareEnd) {
        const count = Math.min(this.#spareEnd - this.#spareAt, to - at);
        out.set(this.#spare.subarray(this.#spareAt * 2, (this.#spareAt + count) * 2), at * 2);
        this.#spareAt += count;
        at += count;
        continue;
      }
      if (!stream.ready) break;
      if (stream.at >= stream.end) {
        if (mayEnd) break;
        throw damaged("a stream of whole numbers ends before its values do");
      }
      const count = this.runLength();
      if (count <= to - at) {
        this.decodeRun(out, at, count);
        at += count;
      } else {
        this.decodeRun(this.#room(count), 0, count);
        this.#spareAt = 0;
        this.#spareEnd = count;
      }
    }
    return at;
  }

  /** Made only where it is needed, and as large as that: a wide table has many thousands of streams. */
  #room(count: number): Int32Array {
    if (this.#spare !== null && this.#spare.length >= count * 2) return this.#spare;
    this.stream.held.add(count * 8 - (this.#spare?.byteLength ?? 0));
    this.#spare = new Int32Array(count * 2);
    return this.#spare;
  }

  /** A number in groups of seven bits, the lowest first, to `low` and `high`. */
  protected varint(): void {
    const { stream } = this;
    const { bytes } = stream;
    let [low, high] = [0, 0];
    for (let shift = 0; shift < 70; shift += 7) {
      if (stream.at >= stream.end) throw damaged("a whole number is cut off");
      const byte = bytes[stream.at++] ?? 0;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) {
        this.low = low;
        this.high = high;
        return;
      }
    }
    throw damaged("a whole number has more than ten bytes");
  }

  /** A varint in zigzag. */
  protected signedVarint(): void {
    this.varint();
    const sign = -(this.low & 1);
    this.low = ((this.low >>> 1) | (this.high << 31)) ^ sign;
    this.high = (this.high >>> 1) ^ sign;
  }

  /** Throws unless `count` more bytes are in the window. */
  protected need(count: number): void {
    if (this.stream.end - this.stream.at < count) throw damaged("a run of whole numbers is cut off");
  }
}
