import { isFault } from "../../domain/fault.ts";
import { unreadable } from "./refuse.ts";

/**
 * Reads FlatBuffers tables (flatbuffers.dev, "Internals") with every access checked: nothing outside the bytes is ever
 * read, and a list is never longer than the bytes that are left. A table is a position whose first four bytes lead back
 * to its vtable: [vtable size u16][table size u16][offset of field 0 u16] ... An absent field has its default.
 * The same table may be referred to many times, so whoever follows references counts what it visits.
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableSize: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
    this.#vtable = at - view.getInt32(at, true);
    this.#vtableSize = view.getUint16(this.#vtable, true);
  }

  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return new FlatTable(view, view.getUint32(0, true));
  }

  bool(field: number, otherwise = false): boolean {
    const at = this.#field(field);
    return at === 0 ? otherwise : this.#view.getUint8(at) !== 0;
  }

  uint8(field: number): number {
    const at = this.#field(field);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  int16(field: number, otherwise = 0): number {
    const at = this.#field(field);
    return at === 0 ? otherwise : this.#view.getInt16(at, true);
  }

  int32(field: number, otherwise = 0): number {
    const at = this.#field(field);
    return at === 0 ? otherwise : this.#view.getInt32(at, true);
  }

  int64(field: number): bigint {
    const at = this.#field(field);
    return at === 0 ? 0n : this.#view.getBigInt64(at, true);
  }

  /** A whole number from 0 to 2^53 - 1; what is beyond makes the file unreadable. */
  size(field: number, what: string): number {
    return sizeOf(this.int64(field), what);
  }

  table(field: number): FlatTable | null {
    const at = this.#field(field);
    return at === 0 ? null : new FlatTable(this.#view, at + this.#view.getUint32(at, true));
  }

  text(field: number): string | null {
    const list = this.#list(field, 1);
    if (list === null) return null;
    return Buffer.from(this.#view.buffer, this.#view.byteOffset + list.at, list.length).toString("utf8");
  }

  tables(field: number): FlatTable[] {
    const list = this.#list(field, 4);
    if (list === null) return [];
    return Array.from({ length: list.length }, (_, i) => {
      const at = list.at + i * 4;
      return new FlatTable(this.#view, at + this.#view.getUint32(at, true));
    });
  }

  int32s(field: number): number[] | null {
    const list = this.#list(field, 4);
    return list && Array.from({ length: list.length }, (_, i) => this.#view.getInt32(list.at + i * 4, true));
  }

  /** A list of structs of `width` bytes each, as bytes. */
  structs(field: number, width: number): DataView {
    const list = this.#list(field, width);
    if (list === null) return new DataView(new ArrayBuffer(0));
    return new DataView(this.#view.buffer, this.#view.byteOffset + list.at, list.length * width);
  }

  /** Where a field's value lies; 0 where it is absent. */
  #field(field: number): number {
    const slot = 4 + field * 2;
    if (slot + 2 > this.#vtableSize) return 0;
    const offset = this.#view.getUint16(this.#vtable + slot, true);
    return offset === 0 ? 0 : this.#at + offset;
  }

  #list(field: number, width: number): { at: number; length: number } | null {
    const at = this.#field(field);
    if (at === 0) return null;
    const from = at + this.#view.getUint32(at, true);
    const length = this.#view.getUint32(from, true);
    if (length * width > this.#view.byteLength - from - 4) throw new RangeError("a list is longer than the metadata");
    return { at: from + 4, length };
  }
}

export function sizeOf(value: bigint, what: string): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) unreadable(`${what} is ${value}`);
  return Number(value);
}

/** Runs a reader of metadata: what leaves the bytes (DataView's own RangeError) makes the file unreadable. */
export function readingMetadata<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isFault(error) || !(error instanceof RangeError)) throw error;
    return unreadable(`${what} points outside itself`);
  }
}
