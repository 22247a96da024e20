import type { ColumnType } from "../domain/table-schema.ts";
import type { ColumnData } from "../schema/column-data.ts";
import type { ChunkBuilder } from "./chunk-builder.ts";
import type { ColumnChunk, DenseValues } from "./column-chunk.ts";
import { asksForReview, isFull, keepsDictionary, REST_GROUPS } from "./dictionary-policy.ts";
import { Presence } from "./presence.ts";

type Form = "words" | "doubles" | "days" | "pairs";

/** 32-bit words a value. */
const WORDS: Readonly<Record<Form, 1 | 2 | 4>> = { days: 1, words: 2, doubles: 2, pairs: 4 };

/**
 * Collects values of a fixed width, taken as 32-bit words whatever they mean (two doubles are the same value when their bits
 * are). While a dictionary is kept, a value becomes an id: open addressing over a table of id + 1, 0 where a place is free.
 */
export class WordsBuilder implements ChunkBuilder {
  readonly #type: ColumnType;
  readonly #form: Form;
  readonly #width: 1 | 2 | 4;
  readonly #presence = new Presence();
  /** Values that are not in the dictionary, then the distinct ones, `#width` words each. */
  #plain = new Int32Array(0);
  #plainCount = 0;
  #distinct = new Int32Array(0);
  #distinctCount = 0;
  #ids = new Uint16Array(0);
  #coded = 0;
  #table = new Int32Array(64);
  #coding = true;
  #rest = 0;

  constructor(type: ColumnType, form: Form) {
    this.#type = type;
    this.#form = form;
    this.#width = WORDS[form];
  }

  get bytes(): number {
    return (this.#plainCount * 2 + this.#distinctCount) * this.#width * 4 + this.#coded * 2;
  }

  append(data: ColumnData): void {
    if (data.form !== this.#form && data.form !== "nulls") throw new Error(`a column of form ${data.form} where ${this.#form} is kept`);
    const { rows, nulls, validity } = data;
    this.#presence.append(validity, rows, nulls);
    if (data.form === "nulls" || nulls === rows) return;
    const values = data.values as BigInt64Array | Float64Array | Int32Array;
    const words = new Int32Array(values.buffer, values.byteOffset, rows * this.#width);
    const taken = this.#coding ? this.#encode(words, validity, rows) : 0;
    if (taken < rows) this.#append(words, validity, taken, rows);
  }

  chunk(): ColumnChunk {
    const { rows, nulls, bytes } = this.#presence;
    const coded = this.#coded;
    return {
      type: this.#type,
      rows,
      nulls,
      present: bytes,
      coded,
      ids: coded === 0 ? null : this.#ids,
      dictionary: coded === 0 ? null : this.#dense(this.#distinct, this.#distinctCount),
      plain: this.#dense(this.#plain, this.#plainCount),
    };
  }

  clear(): void {
    this.#presence.clear();
    if (!this.#coding && this.#rest-- <= 0) this.#coding = true;
    this.#table.fill(0);
    this.#plainCount = 0;
    this.#distinctCount = 0;
    this.#coded = 0;
  }

  #dense(words: Int32Array, count: number): DenseValues {
    switch (this.#form) {
      case "words":
        return { form: "words", count, halves: words };
      case "pairs":
        return { form: "pairs", count, quarters: words };
      case "days":
        return { form: "days", count, values: words };
      case "doubles":
        return { form: "doubles", count, values: new Float64Array(words.buffer, 0, words.length >> 1) };
    }
  }

  /** Values as they are, from a row on. */
  #append(words: Int32Array, validity: Uint8Array | null, from: number, rows: number): void {
    const width = this.#width;
    const to = grown(this.#plain, this.#plainCount * width, (rows - from) * width);
    this.#plain = to;
    let at = this.#plainCount * width;
    if (validity === null) {
      to.set(words.subarray(from * width, rows * width), at);
      at += (rows - from) * width;
    } else {
      for (let i = from; i < rows; i++) {
        if (((validity[i >> 3]! >> (i & 7)) & 1) === 0) continue;
        for (let word = 0; word < width; word++) to[at++] = words[i * width + word]!;
      }
    }
    this.#plainCount = at / width;
  }

  /** Values as ids, until the dictionary is given up; says how many rows it took. */
  #encode(words: Int32Array, validity: Uint8Array | null, rows: number): number {
    if (this.#ids.length < this.#coded + rows) {
      const ids = new Uint16Array(Math.max(this.#coded + rows, this.#ids.length * 2));
      ids.set(this.#ids.subarray(0, this.#coded));
      this.#ids = ids;
    }
    // Room for every row to be a new value, so that the loop need not look.
    this.#distinct = grown(this.#distinct, this.#distinctCount * this.#width, Math.min(rows, 65_536) * this.#width);
    return this.#width === 2 ? this.#encodeTwos(words, validity, rows) : this.#encodeOthers(words, validity, rows);
  }

  /** The loop that nearly all values go through, with everything it needs in locals. */
  #encodeTwos(words: Int32Array, validity: Uint8Array | null, rows: number): number {
    const ids = this.#ids;
    const distinct = this.#distinct;
    let table = this.#table;
    let mask = table.length - 1;
    let count = this.#distinctCount;
    let coded = this.#coded;
    let row = 0;
    for (; row < rows && this.#coding; row++) {
      if (validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) continue;
      const low = words[2 * row]!;
      const high = words[2 * row + 1]!;
      let place = hashOfTwo(low, high) & mask;
      let id = table[place]! - 1;
      while (id >= 0 && (distinct[2 * id] !== low || distinct[2 * id + 1] !== high)) {
        place = (place + 1) & mask;
        id = table[place]! - 1;
      }
      if (id < 0) {
        id = count++;
        distinct[2 * id] = low;
        distinct[2 * id + 1] = high;
        table[place] = count;
        if (asksForReview(count, table.length)) {
          this.#distinctCount = count;
          this.#review(coded + 1);
          table = this.#table;
          mask = table.length - 1;
        }
      }
      ids[coded++] = id;
    }
    this.#distinctCount = count;
    this.#coded = coded;
    return row;
  }

  #encodeOthers(words: Int32Array, validity: Uint8Array | null, rows: number): number {
    const ids = this.#ids;
    let row = 0;
    for (; row < rows && this.#coding; row++) {
      if (validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) continue;
      const before = this.#distinctCount;
      ids[this.#coded++] = this.#idOf(words, row);
      if (this.#distinctCount > before && asksForReview(this.#distinctCount, this.#table.length)) this.#review(this.#coded);
    }
    return row;
  }

  #idOf(words: Int32Array, row: number): number {
    const table = this.#table;
    const distinct = this.#distinct;
    const width = this.#width;
    const mask = table.length - 1;
    let place = hashOf(words, row * width, width) & mask;
    for (; ; place = (place + 1) & mask) {
      const id = table[place]! - 1;
      if (id < 0) break;
      let word = 0;
      while (word < width && distinct[id * width + word] === words[row * width + word]) word++;
      if (word === width) return id;
    }
    const id = this.#distinctCount++;
    for (let word = 0; word < width; word++) distinct[id * width + word] = words[row * width + word]!;
    table[place] = id + 1;
    return id;
  }

  /** Gives the dictionary up, or makes its table larger. */
  #review(seen: number): void {
    const count = this.#distinctCount;
    if (!keepsDictionary(count, seen)) {
      this.#coding = false;
      this.#rest = REST_GROUPS;
    } else if (isFull(count, this.#table.length)) this.#rehash();
  }

  #rehash(): void {
    const table = new Int32Array(this.#table.length * 4);
    const mask = table.length - 1;
    const distinct = this.#distinct;
    const width = this.#width;
    for (let id = 0; id < this.#distinctCount; id++) {
      const hash = width === 2 ? hashOfTwo(distinct[2 * id]!, distinct[2 * id + 1]!) : hashOf(distinct, id * width, width);
      let place = hash & mask;
      while (table[place] !== 0) place = (place + 1) & mask;
      table[place] = id + 1;
    }
    this.#table = table;
  }
}

function hashOfTwo(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> 7;
}

function hashOf(words: Int32Array, at: number, width: number): number {
  let hash = 0;
  for (let word = 0; word < width; word++) hash = Math.imul(hash ^ words[at + word]!, 0x85ebca6b) ^ (hash >>> 13);
  return hash >>> 7;
}

function grown(words: Int32Array<ArrayBuffer>, used: number, more: number): Int32Array<ArrayBuffer> {
  if (used + more <= words.length) return words;
  const larger = new Int32Array(Math.max(used + more, words.length * 2));
  larger.set(words.subarray(0, used));
  return larger;
}
