import type { ByteStream } from "./byte-stream.ts";
import { damaged } from "./damage.ts";

/** 38 digits take 127 bits, with their sign 128: 19 groups of seven. */
const MAX_GROUPS = 19;

/** Unscaled decimals: varints in zigzag of up to 128 bits (ORC specification, "Decimal Columns"). */
export class DecimalVarints {
  readonly stream: ByteStream;

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** The next `count` numbers, four 32-bit words each from 4i, least significant first. Throws where there are fewer. */
  async read(out: Int32Array, count: number): Promise<void> {
    this.stream.check(count);
    for (let at = 0; at < count;) {
      at = this.#fill(out, at, count);
      if (at < count) await this.stream.more();
    }
  }

  #fill(out: Int32Array, from: number, to: number): number {
    const { stream } = this;
    let at = from;
    for (; at < to && stream.ready; at++) {
      const end = Math.min(stream.end, stream.at + MAX_GROUPS);
      let last = stream.at;
      while (last < end && (stream.bytes[last] ?? 0) >= 128) last++;
      if (last === end) {
        const why = end === stream.end ? "is cut off" : "has more than 128 bits";
        throw damaged(`a decimal ${why}`);
      }
      if (last - stream.at < 9) this.#short(out, at * 4, last);
      else this.#long(out, at * 4, last);
      stream.at = last + 1;
    }
    return at;
  }

  /** Up to 63 bits, without a BigInt. */
  #short(out: Int32Array, o: number, last: number): void {
    const { bytes, at } = this.stream;
    let [low, middle, high] = [0, 0, 0];
    for (let i = at, shift = 0; i <= last; i++, shift += 7) {
      const bits = (bytes[i] ?? 0) & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift < 56) middle |= bits << (shift - 28);
      else high |= bits;
    }
    const sign = -(low & 1);
    const first = low | (middle << 28);
    const second = (middle >>> 4) | (high << 24);
    out[o] = ((first >>> 1) | (second << 31)) ^ sign;
    out[o + 1] = (second >>> 1) ^ sign;
    out[o + 2] = sign;
    out[o + 3] = sign;
  }

  #long(out: Int32Array, o: number, last: number): void {
    const { bytes, at } = this.stream;
    let value = 0n;
    for (let i = last; i >= at; i--) value = (value << 7n) | BigInt((bytes[i] ?? 0) & 127);
    putQuarters(out, o, value & 1n ? ~(value >> 1n) : value >> 1n);
  }
}

/** Writes a number of up to 128 bits; larger ones are refused by their digits before. */
export function putQuarters(out: Int32Array, o: number, value: bigint): void {
  for (let i = 0; i < 4; i++) out[o + i] = Number(BigInt.asIntN(32, value >> BigInt(32 * i)));
}

/** The number at word `o`. */
export function quartersAt(values: Int32Array, o: number): bigint {
  const high = (BigInt(values[o + 3] ?? 0) << 32n) | BigInt((values[o + 2] ?? 0) >>> 0);
  const low = (BigInt((values[o + 1] ?? 0) >>> 0) << 32n) | BigInt((values[o] ?? 0) >>> 0);
  return (high << 64n) | low;
}
