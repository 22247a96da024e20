/** Type codes of Thrift's compact protocol that are asked for by name. */
export const THRIFT = { list: 9, struct: 12 } as const;

/** What is stepped over is followed recursively. */
const MAX_DEPTH = 64;

/**
 * Just enough of Thrift's compact protocol to find fields and step over the others. Whole numbers are exact up to 2^53.
 * Throws a plain Error where the bytes end or make no sense.
 */
export class CompactReader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new Error("the metadata is cut off");
    return byte;
  }

  varint(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  binary(): Uint8Array {
    const length = this.varint();
    if (length > this.#bytes.length - this.at) throw new Error("the metadata is cut off");
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  /** The fields of a struct up to its end. What `visit` does not read (it returns false) is stepped over. */
  struct(visit: (id: number, type: number) => boolean): void {
    for (let id = 0; ;) {
      const head = this.byte();
      if (head === 0) return;
      id = head >> 4 === 0 ? this.zigzag() : id + (head >> 4);
      if (!visit(id, head & 15)) this.skip(head & 15);
    }
  }

  /** The head of a list: `read` is called once an item. */
  list(read: (index: number) => void): void {
    const { size } = this.listHead();
    for (let i = 0; i < size; i++) read(i);
  }

  listHead(): { type: number; size: number } {
    const head = this.byte();
    return { type: head & 15, size: head >> 4 === 15 ? this.varint() : head >> 4 };
  }

  skip(type: number, depth = 0): void {
    if (depth > MAX_DEPTH) throw new Error("the metadata is nested too deeply");
    if (type === 1 || type === 2) return; // true and false lie in the type
    if (type === 3) this.at += 1;
    else if (type >= 4 && type <= 6) this.varint();
    else if (type === 7) this.at += 8;
    else if (type === 8) this.binary();
    else if (type === 9 || type === 10) this.#skipList(depth);
    else if (type === 12) this.#skipStruct(depth);
    else throw new Error(`the metadata has a field of type ${type}`);
  }

  /** The bytes of what is stepped over. */
  skipped(type: number): Uint8Array {
    const from = this.at;
    this.skip(type);
    if (this.at > this.#bytes.length) throw new Error("the metadata is cut off");
    return this.#bytes.slice(from, this.at);
  }

  #skipStruct(depth: number): void {
    this.struct((_, type) => {
      this.skip(type, depth + 1);
      return true;
    });
  }

  #skipList(depth: number): void {
    const { type, size } = this.listHead();
    // In a list, a bool is a byte of its own.
    if (type <= 2) this.at += size;
    else for (let i = 0; i < size; i++) this.skip(type, depth + 1);
  }
}

/** An unsigned number as Thrift's compact protocol writes it: seven bits a byte, the lowest first. */
export function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}
