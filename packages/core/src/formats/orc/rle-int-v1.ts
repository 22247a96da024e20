import { RleInts } from "./rle-int.ts";

/**
 * Runs of version 1: a control byte of 0..127 is a run of 3..130 values from a base by a step of -128..127; one of
 * 128..255 is followed by 256 minus that many varints (ORC specification, "Integer Run Length Encoding, version 1").
 */
export class RleIntsV1 extends RleInts {
  protected runLength(): number {
    const control = this.stream.bytes[this.stream.at] ?? 0;
    return control < 128 ? control + 3 : 256 - control;
  }

  protected decodeRun(out: Int32Array, at: number, count: number): void {
    const { stream } = this;
    const literal = (stream.bytes[stream.at++] ?? 0) >= 128;
    if (literal) {
      for (let i = at * 2, end = (at + count) * 2; i < end; i += 2) {
        this.#value();
        out[i] = this.low;
        out[i + 1] = this.high;
      }
      return;
    }
    this.need(1);
    const step = ((stream.bytes[stream.at++] ?? 0) << 24) >> 24;
    this.#value();
    let { low, high } = this;
    for (let i = at * 2, end = (at + count) * 2; i < end; i += 2) {
      out[i] = low;
      out[i + 1] = high;
      const sum = (low >>> 0) + step;
      low = sum | 0;
      high = (high + (sum > 0xffff_ffff ? 1 : sum < 0 ? -1 : 0)) | 0;
    }
  }

  #value(): void {
    if (this.signed) this.signedVarint();
    else this.varint();
  }
}
