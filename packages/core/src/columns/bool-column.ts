import type { ColumnType } from "../domain/table-schema.ts";
import type { ColumnBuilder } from "./column-builder.ts";
import type { ColumnChunk } from "./column-chunk.ts";
import { RowPresence } from "./row-presence.ts";
import type { Scratch } from "./scratch.ts";

/** Builds a column of bools; they need no dictionary. */
export class BoolColumn implements ColumnBuilder {
  readonly #type: ColumnType;
  readonly #presence = new RowPresence();
  #values: Uint8Array = new Uint8Array(0);
  #count = 0;
  #marked = 0;

  constructor(type: ColumnType) {
    this.#type = type;
  }

  get rows(): number {
    return this.#presence.rows;
  }

  get bytes(): number {
    return this.#count + this.rows;
  }

  append(values: Scratch): void {
    const count = this.#count + values.count;
    if (count > this.#values.length) {
      const grown = new Uint8Array(Math.max(count, this.#values.length * 2, 8_192));
      grown.set(this.#values.subarray(0, this.#count));
      this.#values = grown;
    }
    this.#values.set(values.bools.subarray(0, values.count), this.#count);
    this.#count = count;
    this.#presence.append(values);
  }

  appendNulls(rows: number): void {
    this.#presence.appendNulls(rows);
  }

  mark(): void {
    this.#presence.mark();
    this.#marked = this.#count;
  }

  rewind(): void {
    this.#presence.rewind();
    this.#count = this.#marked;
  }

  chunk(): ColumnChunk {
    const { rows, nulls, bytes } = this.#presence;
    const plain = { form: "bools", count: this.#count, values: this.#values } as const;
    return { type: this.#type, rows, nulls, present: bytes, coded: 0, ids: null, dictionary: null, plain };
  }

  reset(): void {
    this.#presence.reset();
    this.#count = 0;
  }

  forgetCodes(): void {}

  release(): void {}
}
