import { damaged } from "./damage.ts";

/** Below this many bytes a loop beats a copy by the engine, which takes some 30 ns to begin. */
const SHORT = 32;

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
    const { bytes, at } = this;
    if (length > bytes.length - at) this.#noRoom();
    if (length > SHORT) bytes.set(input.subarray(from, from + length), at);
    else for (let i = 0; i < length; i++) bytes[at + i] = input[from + i] ?? 0;
    this.at = at + length;
  }

  /** `length` bytes from `distance` back. Where both overlap, bytes just written are copied again. */
  match(distance: number, length: number): void {
    const { bytes, at } = this;
    if (distance === 0 || distance > at) throw damaged(`a ${this.#codec} chunk copies from ${distance} bytes before its start`);
    if (length > bytes.length - at) this.#noRoom();
    const from = at - distance;
    if (length > SHORT && distance >= length) bytes.copyWithin(at, from, from + length);
    else if (length > SHORT && distance === 1) bytes.fill(bytes[from] ?? 0, at, at + length);
    else for (let i = 0; i < length; i++) bytes[at + i] = bytes[from + i] ?? 0;
    this.at = at + length;
  }

  done(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  #noRoom(): never {
    throw damaged(`a ${this.#codec} chunk holds more than the ${this.bytes.length} bytes of a block`);
  }
}
