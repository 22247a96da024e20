import type { ColumnType } from "../domain/table-schema.ts";
import type { ColumnData } from "../schema/column-data.ts";
import type { ChunkBuilder } from "./chunk-builder.ts";
import type { ColumnChunk } from "./column-chunk.ts";
import { asksForReview, isFull, keepsDictionary, REST_GROUPS } from "./dictionary-policy.ts";
import { Presence } from "./presence.ts";

/** Bytes with a length before each value, as PLAIN wants them. */
interface Run {
  data: Uint8Array;
  length: number;
  count: number;
}

/** Collects texts and binaries, as `WordsBuilder` does numbers: ids while a dictionary pays, then the values as they are. */
export class BytesBuilder implements ChunkBuilder {
  readonly #type: ColumnType;
  readonly #presence = new Presence();
  readonly #plain: Run = { data: new Uint8Array(0), length: 0, count: 0 };
  readonly #distinct: Run = { data: new Uint8Array(0), length: 0, count: 0 };
  /** Where each distinct value begins. */
  #starts = new Int32Array(64);
  #ids = new Uint16Array(0);
  #coded = 0;
  #table = new Int32Array(64);
  #coding = true;
  #rest = 0;

  constructor(type: ColumnType) {
    this.#type = type;
  }

  get bytes(): number {
    return this.#plain.length * 2 + this.#distinct.length + this.#coded * 2;
  }

  append(data: ColumnData): void {
    if (data.form !== "bytes" && data.form !== "nulls") throw new Error(`a column of form ${data.form} where bytes are kept`);
    const { rows, nulls, validity } = data;
    this.#presence.append(validity, rows, nulls);
    if (data.form === "nulls" || nulls === rows) return;
    const taken = this.#coding ? this.#encode(data, rows) : 0;
    if (taken < rows) this.#append(data, taken, rows);
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
      dictionary: coded === 0 ? null : { form: "bytes", ...this.#distinct },
      plain: { form: "bytes", ...this.#plain },
    };
  }

  clear(): void {
    this.#presence.clear();
    if (!this.#coding && this.#rest-- <= 0) this.#coding = true;
    this.#table.fill(0);
    for (const run of [this.#plain, this.#distinct]) {
      run.length = 0;
      run.count = 0;
    }
    this.#coded = 0;
  }

  #append({ offsets, values, validity }: ColumnData & { form: "bytes" }, from: number, rows: number): void {
    reserve(this.#plain, offsets[rows]! - offsets[from]! + (rows - from) * 4);
    for (let i = from; i < rows; i++) {
      if (validity !== null && ((validity[i >> 3]! >> (i & 7)) & 1) === 0) continue;
      put(this.#plain, values, offsets[i]!, offsets[i + 1]!);
    }
  }

  #encode({ offsets, values, validity }: ColumnData & { form: "bytes" }, rows: number): number {
    if (this.#ids.length < this.#coded + rows) {
      const ids = new Uint16Array(Math.max(this.#coded + rows, this.#ids.length * 2));
      ids.set(this.#ids.subarray(0, this.#coded));
      this.#ids = ids;
    }
    let row = 0;
    for (; row < rows && this.#coding; row++) {
      if (validity !== null && ((validity[row >> 3]! >> (row & 7)) & 1) === 0) continue;
      const before = this.#distinct.count;
      this.#ids[this.#coded++] = this.#idOf(values, offsets[row]!, offsets[row + 1]!);
      if (this.#distinct.count > before && asksForReview(this.#distinct.count, this.#table.length)) this.#review();
    }
    return row;
  }

  #idOf(values: Uint8Array, from: number, to: number): number {
    const table = this.#table;
    const starts = this.#starts;
    const { data } = this.#distinct;
    const mask = table.length - 1;
    const length = to - from;
    let place = hashOf(values, from, to) & mask;
    for (; ; place = (place + 1) & mask) {
      const id = table[place]! - 1;
      if (id < 0) break;
      const start = starts[id]! + 4;
      const end = id + 1 === this.#distinct.count ? this.#distinct.length : starts[id + 1]!;
      if (end - start !== length) continue;
      let i = 0;
      while (i < length && data[start + i] === values[from + i]) i++;
      if (i === length) return id;
    }
    return this.#insert(values, from, to, place);
  }

  #insert(values: Uint8Array, from: number, to: number, place: number): number {
    const id = this.#distinct.count;
    if (id === this.#starts.length) {
      const starts = new Int32Array(id * 2);
      starts.set(this.#starts);
      this.#starts = starts;
    }
    this.#starts[id] = this.#distinct.length;
    reserve(this.#distinct, to - from + 4);
    put(this.#distinct, values, from, to);
    this.#table[place] = id + 1;
    return id;
  }

  #review(): void {
    const { count } = this.#distinct;
    if (!keepsDictionary(count, this.#coded)) {
      this.#coding = false;
      this.#rest = REST_GROUPS;
    } else if (isFull(count, this.#table.length)) this.#rehash();
  }

  #rehash(): void {
    const table = new Int32Array(this.#table.length * 4);
    const mask = table.length - 1;
    const { data, count, length } = this.#distinct;
    for (let id = 0; id < count; id++) {
      const end = id + 1 === count ? length : this.#starts[id + 1]!;
      let place = hashOf(data, this.#starts[id]! + 4, end) & mask;
      while (table[place] !== 0) place = (place + 1) & mask;
      table[place] = id + 1;
    }
    this.#table = table;
  }
}

/** Long values are told apart well enough by their length and both ends. */
const HASHED = 32;

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = to - from;
  const head = Math.min(to, from + HASHED);
  for (let i = from; i < head; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  for (let i = Math.max(head, to - HASHED); i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return hash >>> 7;
}

function reserve(run: Run, more: number): void {
  if (run.length + more <= run.data.length) return;
  const grown = new Uint8Array(Math.max(run.length + more, run.data.length * 2));
  grown.set(run.data.subarray(0, run.length));
  run.data = grown;
}

function put(run: Run, values: Uint8Array, from: number, to: number): void {
  const { data } = run;
  const length = to - from;
  let at = run.length;
  data[at] = length;
  data[at + 1] = length >> 8;
  data[at + 2] = length >> 16;
  data[at + 3] = length >> 24;
  at += 4;
  if (length < 64) for (let i = from; i < to; i++) data[at++] = values[i]!;
  else {
    data.set(values.subarray(from, to), at);
    at += length;
  }
  run.length = at;
  run.count++;
}
