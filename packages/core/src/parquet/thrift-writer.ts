/** Type codes of Thrift's compact protocol for list elements. */
export const ELEMENT = { bool: 2, i32: 5, i64: 6, binary: 8, struct: 12 } as const;

const TRUE = 1;
const FALSE = 2;
const LIST = 9;

/**
 * Thrift's compact protocol into a buffer that grows. Whole numbers are exact up to 2^52. Fields of a struct are written with
 * ascending ids; `begin`/`end` surround a struct, `list` is followed by that many elements.
 */
export class CompactWriter {
  #bytes: Uint8Array;
  #at = 0;
  #last = 0;
  readonly #outer: number[] = [];

  constructor(room = 256) {
    this.#bytes = new Uint8Array(room);
  }

  get length(): number {
    return this.#at;
  }

  /** What was written since the last `clear`; valid until the next write. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  clear(): void {
    this.#at = 0;
    this.#last = 0;
  }

  bool(id: number, value: boolean): void {
    this.#field(id, value ? TRUE : FALSE);
  }

  byte(id: number, value: number): void {
    this.#field(id, 3);
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  i32(id: number, value: number): void {
    this.#field(id, ELEMENT.i32);
    this.zigzag(value);
  }

  i64(id: number, value: number): void {
    this.#field(id, ELEMENT.i64);
    this.zigzag(value);
  }

  binary(id: number, value: Uint8Array): void {
    this.#field(id, ELEMENT.binary);
    this.binaryElement(value);
  }

  text(id: number, value: string): void {
    this.binary(id, Buffer.from(value));
  }

  list(id: number, element: (typeof ELEMENT)[keyof typeof ELEMENT], size: number): void {
    this.#field(id, LIST);
    if (size < 15) this.#varint(size * 16 + element, true);
    else {
      this.#varint(0xf0 + element, true);
      this.#varint(size);
    }
  }

  /** A list that was written elsewhere, its head included. */
  rawList(id: number, bytes: Uint8Array): void {
    this.#field(id, LIST);
    this.raw(bytes);
  }

  /** A struct as the field `id`, or as an element of a list. */
  begin(id?: number): void {
    if (id !== undefined) this.#field(id, ELEMENT.struct);
    this.#outer.push(this.#last);
    this.#last = 0;
  }

  end(): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = 0;
    this.#last = this.#outer.pop() ?? 0;
  }

  /** A struct that was written elsewhere, its end byte included. */
  structBytes(id: number, bytes: Uint8Array): void {
    this.#field(id, ELEMENT.struct);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** An integer as an element of a list. */
  zigzag(value: number): void {
    this.#varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  binaryElement(value: Uint8Array): void {
    this.#varint(value.length);
    this.raw(value);
  }

  boolElement(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value ? TRUE : FALSE;
  }

  #field(id: number, type: number): void {
    const step = id - this.#last;
    if (step > 0 && step < 16) this.#varint(step * 16 + type, true);
    else {
      this.#varint(type, true);
      this.zigzag(id);
    }
    this.#last = id;
  }

  /** Seven bits a byte, the lowest first; `single` writes the value as one byte. */
  #varint(value: number, single = false): void {
    this.#reserve(10);
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    if (!single) {
      for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128;
      for (; rest >= 128; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
    }
    bytes[at++] = rest;
    this.#at = at;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
