import { packedBytes, unpackBits } from "./bit-unpack.ts";
import { damaged } from "./damage.ts";
import { RleInts } from "./rle-int.ts";
import { unzigzag } from "./words.ts";

/** Bit widths by their five-bit code. In a delta run code 0 is no bits: a fixed step. */
const WIDTHS = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 28, 30, 32, 40, 48, 56, 64,
] as const;
const MAX_PATCHES = 31;

const widthOf = (code: number): number => WIDTHS[code] ?? 64;
/** The narrowest width there is for so many bits. */
const widthFor = (bits: number): number => WIDTHS.find((width) => width >= bits) ?? 64;

/**
 * Runs of version 2, told apart by the first two bits: short repeat, direct, patched base, delta
 * (ORC specification, "Integer Run Length Encoding, version 2").
 */
export class RleIntsV2 extends RleInts {
  readonly #patches = new Int32Array(MAX_PATCHES * 2);

  protected runLength(): number {
    const { bytes, at } = this.stream;
    const head = bytes[at] ?? 0;
    if (head < 64) return (head & 7) + 3;
    this.need(2);
    return (((head & 1) << 8) | (bytes[at + 1] ?? 0)) + 1;
  }

  protected decodeRun(out: Int32Array, at: number, count: number): void {
    const head = this.stream.bytes[this.stream.at] ?? 0;
    switch (head >> 6) {
      case 0:
        return this.#shortRepeat(out, at, count);
      case 1:
        return this.#direct(out, at, count);
      case 2:
        return this.#patchedBase(out, at, count);
      default:
        return this.#delta(out, at, count);
    }
  }

  /** [00 www ccc][value: w + 1 bytes] */
  #shortRepeat(out: Int32Array, at: number, count: number): void {
    const { stream } = this;
    const size = (((stream.bytes[stream.at++] ?? 0) >> 3) & 7) + 1;
    this.#bigEndian(size);
    if (this.signed) {
      const sign = -(this.low & 1);
      this.low = ((this.low >>> 1) | (this.high << 31)) ^ sign;
      this.high = (this.high >>> 1) ^ sign;
    }
    for (let i = at * 2, end = (at + count) * 2; i < end; i += 2) {
      out[i] = this.low;
      out[i + 1] = this.high;
    }
  }

  /** [01 wwwww l][llllllll][values of w bits] */
  #direct(out: Int32Array, at: number, count: number): void {
    const { stream } = this;
    const width = widthOf(((stream.bytes[stream.at] ?? 0) >> 1) & 31);
    stream.at += 2;
    this.#unpack(width, count, out, at);
    if (this.signed) unzigzag(out, at, count);
  }

  /** [10 wwwww l][llllllll][bbb ppppp][ggg nnnnn][base: b + 1 bytes, sign and magnitude][values][n pairs of gap and patch] */
  #patchedBase(out: Int32Array, at: number, count: number): void {
    const { stream } = this;
    this.need(4);
    const { bytes } = stream;
    const width = widthOf(((bytes[stream.at] ?? 0) >> 1) & 31);
    const third = bytes[stream.at + 2] ?? 0;
    const fourth = bytes[stream.at + 3] ?? 0;
    stream.at += 4;
    this.#signedMagnitude((third >> 5) + 1);
    const { low: baseLow, high: baseHigh } = this;
    this.#unpack(width, count, out, at);
    this.#patch(out, at, count, { width, patchWidth: widthOf(third & 31), gapWidth: (fourth >> 5) + 1, patches: fourth & 31 });
    for (let i = at * 2, end = (at + count) * 2; i < end; i += 2) {
      const sum = ((out[i] ?? 0) >>> 0) + (baseLow >>> 0);
      out[i] = sum | 0;
      out[i + 1] = ((out[i + 1] ?? 0) + baseHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    }
  }

  /** Puts the patches' bits above the `width` bits of the values that they belong to. */
  #patch(out: Int32Array, at: number, count: number, run: { width: number; patchWidth: number; gapWidth: number; patches: number }): void {
    const { width, patchWidth, gapWidth, patches } = run;
    if (gapWidth + patchWidth > 64 || width + patchWidth > 64) {
      throw damaged(`a patched run has patches of ${patchWidth} bits above values of ${width}`);
    }
    this.#unpack(widthFor(gapWidth + patchWidth), patches, this.#patches, 0);
    let place = 0;
    for (let i = 0; i < patches; i++) {
      const low = this.#patches[i * 2] ?? 0;
      const high = this.#patches[i * 2 + 1] ?? 0;
      // The gap lies above the patch: at most 8 bits, so it is whole in one of both halves or across them.
      place += patchWidth >= 32 ? high >>> (patchWidth - 32) : ((low >>> patchWidth) | (high << (32 - patchWidth))) & 255;
      const patchLow = patchWidth >= 32 ? low : low & (2 ** patchWidth - 1);
      const patchHigh = patchWidth > 32 ? high & (2 ** (patchWidth - 32) - 1) : 0;
      if (place >= count) throw damaged("a patched run has a patch beyond its values");
      const o = (at + place) * 2;
      if (width >= 32) out[o + 1] = (out[o + 1] ?? 0) | (patchLow << (width - 32));
      else {
        out[o] = (out[o] ?? 0) | (patchLow << width);
        out[o + 1] = (out[o + 1] ?? 0) | (patchLow >>> (32 - width)) | (patchHigh << width);
      }
    }
  }

  /** [11 wwwww l][llllllll][base varint][first step, signed varint][further steps of w bits, in the first one's direction] */
  #delta(out: Int32Array, at: number, count: number): void {
    const { stream } = this;
    const code = ((stream.bytes[stream.at] ?? 0) >> 1) & 31;
    stream.at += 2;
    if (this.signed) this.signedVarint();
    else this.varint();
    let { low, high } = this;
    this.signedVarint();
    const { low: stepLow, high: stepHigh } = this;
    out[at * 2] = low;
    out[at * 2 + 1] = high;
    const fixed = code === 0;
    if (!fixed && count > 2) this.#unpack(widthOf(code), count - 2, out, at + 2);
    const down = stepHigh < 0;
    for (let i = 1; i < count; i++) {
      const o = (at + i) * 2;
      const first = fixed || i === 1;
      const addLow = first ? stepLow : (out[o] ?? 0);
      const addHigh = first ? stepHigh : (out[o + 1] ?? 0);
      if (down && !first) {
        const difference = (low >>> 0) - (addLow >>> 0);
        low = difference | 0;
        high = (high - addHigh - (difference < 0 ? 1 : 0)) | 0;
      } else {
        const sum = (low >>> 0) + (addLow >>> 0);
        low = sum | 0;
        high = (high + addHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0;
      }
      out[o] = low;
      out[o + 1] = high;
    }
  }

  #unpack(width: number, count: number, out: Int32Array, at: number): void {
    const { stream } = this;
    const size = packedBytes(width, count);
    this.need(size);
    unpackBits(stream.bytes, stream.at, width, count, out, at);
    stream.at += size;
  }

  #bigEndian(size: number): void {
    const { stream } = this;
    this.need(size);
    let [low, high] = [0, 0];
    for (let i = 0; i < size; i++) {
      high = (high << 8) | (low >>> 24);
      low = (low << 8) | (stream.bytes[stream.at++] ?? 0);
    }
    this.low = low;
    this.high = high;
  }

  /** The most significant bit is the sign, the others the size. */
  #signedMagnitude(size: number): void {
    this.#bigEndian(size);
    const bit = 1 << ((size * 8 - 1) % 32);
    const negative = ((size > 4 ? this.high : this.low) & bit) !== 0;
    if (!negative) return;
    if (size > 4) this.high &= ~bit;
    else this.low &= ~bit;
    const difference = -(this.low >>> 0);
    this.low = difference | 0;
    this.high = (-this.high - (difference < 0 ? 1 : 0)) | 0;
  }
}
