import { damaged } from "./damage.ts";

/** Wire types of Protocol Buffers: a varint, eight bytes, a length and its bytes, four bytes. */
const WIRE = { varint: 0, eight: 1, bytes: 2, four: 5 } as const;

/**
 * Just enough of Protocol Buffers' wire format to find fields and step over the others. Every length is checked against
 * the message's bytes. Whole numbers are exact up to 2^53; larger ones come out rounded, so that a bound refuses them.
 */
export class ProtoReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #wire: number = WIRE.varint;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next field's number, or 0 at the end. Its value must then be read by one of the methods below, or skipped. */
  next(): number {
    if (this.#at >= this.#bytes.length) return 0;
    const tag = this.#varint();
    this.#wire = tag % 8;
    const field = Math.floor(tag / 8);
    if (field === 0) throw damaged("its metadata has a field without a number");
    return field;
  }

  uint(): number {
    this.#expect(WIRE.varint);
    return this.#varint();
  }

  bytes(): Uint8Array {
    this.#expect(WIRE.bytes);
    return this.#span();
  }

  text(): string {
    const bytes = this.bytes();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  }

  message(): ProtoReader {
    return new ProtoReader(this.bytes());
  }

  /** One number of a repeated field, or several where the field is packed. */
  uints(add: (value: number) => void): void {
    if (this.#wire === WIRE.varint) return add(this.#varint());
    const packed = new ProtoReader(this.bytes());
    while (packed.#at < packed.#bytes.length) add(packed.#varint());
  }

  skip(): void {
    switch (this.#wire) {
      case WIRE.varint:
        this.#varint();
        return;
      case WIRE.eight:
        return this.#forward(8);
      case WIRE.bytes:
        this.#span();
        return;
      case WIRE.four:
        return this.#forward(4);
      default:
        throw damaged(`its metadata has a field of wire type ${this.#wire}`);
    }
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) throw damaged(`its metadata has a field of wire type ${this.#wire} where ${wire} belongs`);
  }

  #span(): Uint8Array {
    const length = this.#varint();
    const from = this.#at;
    this.#forward(length);
    return this.#bytes.subarray(from, this.#at);
  }

  #forward(length: number): void {
    if (length > this.#bytes.length - this.#at) throw damaged("its metadata is cut off");
    this.#at += length;
  }

  #varint(): number {
    let value = 0;
    for (let unit = 1, i = 0; i < 10; i++, unit *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw damaged("its metadata is cut off");
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
    throw damaged("its metadata has a number of more than ten bytes");
  }
}
