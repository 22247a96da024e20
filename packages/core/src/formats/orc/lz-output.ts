import { damaged } from "./damage.ts";

/** Output under construction by an LZ77 decoder: literals and copies of what was written before. */
export class LzOutput {
  readonly bytes: Uint8Array;
  readonly #codec: string;
  at = 0;

  constructor(codec: string, size: number) {
    this.#codec = codec;
    this.bytes = new Uint8Array(size);
  }

  literals(input: Uint8Array, from: number, length: number): void {
    if (length > input.length - from) throw damaged(`a ${this.#codec} chunk is cut off`);
    this.#room(length);
    this.bytes.set(input.subarray(from, from + length), this.at);
    this.at += length;
  }

  /** `length` bytes from `distance` back. Where both overlap, bytes just written are copied again. */
  match(distance: number, length: number): void {
    if (distance === 0 || distance > this.at) throw damaged(`a ${this.#codec} chunk copies from ${distance} bytes before its start`);
    this.#room(length);
    const { bytes } = this;
    let to = this.at;
    const end = to + length;
    if (distance >= length) bytes.copyWithin(to, to - distance, end - distance);
    else for (let from = to - distance; to < end;) bytes[to++] = bytes[from++] ?? 0;
    this.at = end;
  }

  done(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  #room(length: number): void {
    if (length > this.bytes.length - this.at)
      throw damaged(`a ${this.#codec} chunk holds more than the ${this.bytes.length} bytes of a block`);
  }
}
