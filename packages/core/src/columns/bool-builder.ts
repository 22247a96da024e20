import type { ColumnType } from "../domain/table-schema.ts";
import type { ColumnData } from "../schema/column-data.ts";
import type { ChunkBuilder } from "./chunk-builder.ts";
import type { ColumnChunk } from "./column-chunk.ts";
import { Presence } from "./presence.ts";

/** Collects booleans: a byte a value, no dictionary. */
export class BoolBuilder implements ChunkBuilder {
  readonly #type: ColumnType;
  readonly #presence = new Presence();
  #values = new Uint8Array(0);
  #count = 0;

  constructor(type: ColumnType) {
    this.#type = type;
  }

  get bytes(): number {
    return this.#count * 2;
  }

  append(data: ColumnData): void {
    if (data.form !== "bits" && data.form !== "nulls") throw new Error(`a bool column of form ${data.form}`);
    const { rows, nulls, validity } = data;
    this.#presence.append(validity, rows, nulls);
    if (data.form === "nulls" || nulls === rows) return;
    const need = this.#count + rows;
    if (need > this.#values.length) {
      const grown = new Uint8Array(Math.max(need, this.#values.length * 2));
      grown.set(this.#values.subarray(0, this.#count));
      this.#values = grown;
    }
    const to = this.#values;
    const from = data.values;
    let count = this.#count;
    for (let i = 0; i < rows; i++) {
      if (validity !== null && ((validity[i >> 3]! >> (i & 7)) & 1) === 0) continue;
      to[count++] = (from[i >> 3]! >> (i & 7)) & 1;
    }
    this.#count = count;
  }

  chunk(): ColumnChunk {
    const { rows, nulls, bytes } = this.#presence;
    const plain = { form: "bools", count: this.#count, values: this.#values } as const;
    return { type: this.#type, rows, nulls, present: bytes, coded: 0, ids: null, dictionary: null, plain };
  }

  clear(): void {
    this.#presence.clear();
    this.#count = 0;
  }
}
