import type { ColumnType } from "../domain/table-schema.ts";
import type { ColumnBuilder } from "./column-builder.ts";
import type { ColumnChunk, DenseValues } from "./column-chunk.ts";
import { keepsDictionary, MOST_DISTINCT, REST_GROUPS } from "./dictionary-policy.ts";
import { RowPresence } from "./row-presence.ts";
import type { Scratch } from "./scratch.ts";
import { giveMemory, takeMemory } from "./spare-memory.ts";

const FIRST_SLOTS = 256;
const NO_SLOTS = new Uint16Array(0);
/** Codes below this have a place in a table of their own. */
const MAX_CODE = 65_536;

/**
 * Builds a column of numbers, dates or times, while it pays as ids into a dictionary. Values that have a code are looked up
 * in a table indexed by it, the others by hashing their low 64 bits: a slot is the value's id + 1.
 */
export class WordColumn implements ColumnBuilder {
  readonly #type: ColumnType;
  /** 32-bit words a value. */
  readonly #width: 1 | 2 | 4;
  readonly #presence = new RowPresence();
  #plain: Int32Array<ArrayBuffer> = new Int32Array(0);
  #count = 0;
  #ids: Uint16Array<ArrayBuffer> = new Uint16Array(0);
  #coded = 0;
  #values: Int32Array<ArrayBuffer> = new Int32Array(0);
  #distinct = 0;
  /** None while there is no dictionary. */
  #slots: Uint16Array = NO_SLOTS;
  #codes: Uint16Array = new Uint16Array(0);
  #alive = true;
  #without = 0;
  #markedCount = 0;
  #markedCoded = 0;

  constructor(type: ColumnType) {
    this.#type = type;
    this.#width = type.kind === "date" ? 1 : type.kind === "decimal" ? 4 : 2;
  }

  get rows(): number {
    return this.#presence.rows;
  }

  get bytes(): number {
    return (this.#count + this.#distinct) * this.#width * 4 + this.#coded * 2 + (this.#presence.nulls > 0 ? this.rows : 0);
  }

  append(values: Scratch): void {
    this.#presence.append(values);
    const done = this.#alive ? this.#encode(values) : 0;
    const left = values.count - done;
    if (left === 0) return;
    const width = this.#width;
    const need = (this.#count + left) * width;
    if (need > this.#plain.length) this.#plain = grown(this.#plain, this.#count * width, need);
    this.#plain.set(values.words.subarray(done * width, values.count * width), this.#count * width);
    this.#count += left;
  }

  appendNulls(rows: number): void {
    this.#presence.appendNulls(rows);
  }

  mark(): void {
    this.#presence.mark();
    this.#markedCount = this.#count;
    this.#markedCoded = this.#coded;
  }

  rewind(): void {
    this.#presence.rewind();
    this.#count = this.#markedCount;
    this.#coded = this.#markedCoded;
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
      dictionary: coded === 0 ? null : this.#dense(this.#values, this.#distinct),
      plain: this.#dense(this.#plain, this.#count),
    };
  }

  reset(): void {
    this.#presence.reset();
    this.#count = 0;
    this.#coded = 0;
    this.#distinct = 0;
    if (this.#alive) {
      this.#slots.fill(0);
      this.#codes.fill(0);
    } else if (--this.#without <= 0) this.#alive = true;
  }

  forgetCodes(): void {
    this.#codes.fill(0);
  }

  release(): void {
    for (const { buffer } of [this.#plain, this.#values, this.#ids]) giveMemory(buffer);
  }

  #dense(words: Int32Array, count: number): DenseValues {
    const { kind } = this.#type;
    if (kind === "double") return { form: "doubles", count, values: new Float64Array(words.buffer) };
    if (kind === "date") return { form: "days", count, values: words };
    return kind === "decimal" ? { form: "pairs", count, quarters: words } : { form: "words", count, halves: words };
  }

  /** Writes ids for the values; gives how many before the dictionary ended. */
  #encode(values: Scratch): number {
    const { count, words, codes } = values;
    const width = this.#width;
    const coded = this.#coded;
    // A load outside of an array, once seen, makes every later one slower.
    if (this.#slots.length === 0) this.#slots = new Uint16Array(FIRST_SLOTS);
    if (coded + count > this.#ids.length) {
      const ids = new Uint16Array(takeMemory(Math.max(coded + count, this.#ids.length * 2) * 2));
      ids.set(this.#ids.subarray(0, coded));
      giveMemory(this.#ids.buffer);
      this.#ids = ids;
    }
    const ids = this.#ids;
    let table = this.#codes;
    let i = 0;
    for (; i < count; i++) {
      const code = codes[i] ?? -1;
      let place = code >= 0 && code < table.length ? (table[code] ?? 0) : 0;
      if (place === 0) {
        const at = i * width;
        const low = words[at] ?? 0;
        const high = width === 1 ? 0 : (words[at + 1] ?? 0);
        if (width === 4 && (words[at + 2] !== high >> 31 || words[at + 3] !== high >> 31)) {
          this.#giveUp();
          break;
        }
        place = this.#find(low, high, coded + i);
        if (place === 0) {
          this.#giveUp();
          break;
        }
        if (code >= 0 && code < MAX_CODE) {
          if (code >= table.length) table = this.#growCodes(code);
          table[code] = place;
        }
      }
      ids[coded + i] = place - 1;
    }
    this.#coded = coded + i;
    return i;
  }

  /** The id + 1 of a value, new or not; 0 when the dictionary has come to its end. */
  #find(low: number, high: number, rows: number): number {
    const slots = this.#slots;
    const values = this.#values;
    const width = this.#width;
    const mask = slots.length - 1;
    for (let slot = hash(low, high) & mask; ; slot = (slot + 1) & mask) {
      const place = slots[slot] ?? 0;
      if (place === 0) break;
      const at = (place - 1) * width;
      if (values[at] === low && (width === 1 || values[at + 1] === high)) return place;
    }
    return this.#distinct < MOST_DISTINCT - 2 && keepsDictionary(this.#distinct, rows) ? this.#add(low, high) : 0;
  }

  #add(low: number, high: number): number {
    const width = this.#width;
    const id = this.#distinct++;
    if (id + 1 > this.#slots.length * 0.7) this.#rehash();
    if ((id + 1) * width > this.#values.length) this.#values = grown(this.#values, id * width, (id + 1) * width);
    const values = this.#values;
    values[id * width] = low;
    if (width > 1) values[id * width + 1] = high;
    if (width === 4) values[id * width + 2] = values[id * width + 3] = high >> 31;
    this.#place(low, high, id + 1);
    return id + 1;
  }

  #place(low: number, high: number, place: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash(low, high) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = place;
  }

  #rehash(): void {
    const width = this.#width;
    const values = this.#values;
    this.#slots = new Uint16Array(this.#slots.length * 2);
    for (let id = 0; id < this.#distinct - 1; id++) {
      this.#place(values[id * width] ?? 0, width === 1 ? 0 : (values[id * width + 1] ?? 0), id + 1);
    }
  }

  #growCodes(code: number): Uint16Array {
    let size = Math.max(this.#codes.length * 2, FIRST_SLOTS);
    while (size <= code) size *= 2;
    const codes = new Uint16Array(size);
    codes.set(this.#codes);
    this.#codes = codes;
    return codes;
  }

  #giveUp(): void {
    this.#alive = false;
    this.#without = REST_GROUPS;
    this.#slots = NO_SLOTS;
    this.#codes = new Uint16Array(0);
  }
}

/** Spreads 64 bits over 32 (multipliers of MurmurHash3's finalizer). */
function hash(low: number, high: number): number {
  let h = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0xc2b2ae35);
  h ^= h >>> 15;
  return h;
}

function grown(words: Int32Array<ArrayBuffer>, used: number, need: number): Int32Array<ArrayBuffer> {
  const more = new Int32Array(takeMemory(Math.max(need, words.length * 2) * 4));
  more.set(words.subarray(0, used));
  giveMemory(words.buffer);
  return more;
}
