import type { ColumnType } from "../domain/table-schema.ts";
import type { ColumnBuilder } from "./column-builder.ts";
import type { ColumnChunk } from "./column-chunk.ts";
import { keepsDictionary, MOST_DISTINCT, REST_GROUPS } from "./dictionary-policy.ts";
import { RowPresence } from "./row-presence.ts";
import type { Scratch } from "./scratch.ts";
import { giveMemory, takeMemory } from "./spare-memory.ts";

const FIRST_SLOTS = 256;
const NO_SLOTS = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);
/** Texts up to this length are their own key. */
const SHORT = 8;
/** Masks that leave of the first and the second word what belongs to a text of 0 to 8 bytes. */
const KEEP_LOW = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1);
const KEEP_HIGH = Int32Array.of(0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1);
/** Longer texts are copied by the runtime, shorter ones word by word. */
const LONG = 96;

/** Length-prefixed texts, as PLAIN has them. May be written up to 4 bytes over the end in use. */
class Texts {
  data: Uint8Array<ArrayBuffer> = NO_BYTES;
  view: DataView = new DataView(NO_BYTES.buffer);
  length = 0;
  count = 0;

  reach(more: number): void {
    const need = this.length + more + 8;
    if (need <= this.data.length) return;
    const data = new Uint8Array(takeMemory(Math.max(need, this.data.length * 2)));
    data.set(this.data.subarray(0, this.length));
    this.release();
    this.data = data;
    this.view = new DataView(data.buffer);
  }

  release(): void {
    giveMemory(this.data.buffer);
    this.data = NO_BYTES;
  }

  /** Copies a text; reads up to 3 bytes after it. */
  add(bytes: Uint8Array, from: DataView, at: number, length: number): void {
    if (this.length + length + 12 > this.data.length) this.reach(length + 4);
    const { view } = this;
    const start = this.length + 4;
    view.setInt32(this.length, length, true);
    if (length > LONG) this.data.set(bytes.subarray(at, at + length), start);
    else for (let i = 0; i < length; i += 4) view.setInt32(start + i, from.getInt32(at + i, true), true);
    this.length = start + length;
    this.count++;
  }
}

/**
 * Builds a column of text, while it pays as ids into a dictionary that is keyed on the bytes. A slot is: the first 8 bytes,
 * or two hashes of a longer text; the length; id + 1.
 */
export class TextColumn implements ColumnBuilder {
  readonly #type: ColumnType;
  readonly #presence = new RowPresence();
  readonly #plain = new Texts();
  readonly #values = new Texts();
  /** Where each distinct text begins in `#values`, after its length. */
  #starts: Int32Array = new Int32Array(0);
  #ids: Uint16Array<ArrayBuffer> = new Uint16Array(0);
  #coded = 0;
  /** None while there is no dictionary. */
  #slots: Int32Array = NO_SLOTS;
  #alive = true;
  #without = 0;
  #unescaped: Uint8Array = new Uint8Array(0);
  #unescapedView: DataView = new DataView(this.#unescaped.buffer);
  #markedCount = 0;
  #markedLength = 0;
  #markedCoded = 0;

  constructor(type: ColumnType) {
    this.#type = type;
  }

  get rows(): number {
    return this.#presence.rows;
  }

  get bytes(): number {
    // Plain text is held with room to grow.
    return this.#plain.length * 2 + this.#values.length + this.#coded * 2 + (this.#presence.nulls > 0 ? this.rows : 0);
  }

  append(values: Scratch): void {
    this.#presence.append(values);
    const done = this.#alive ? this.#encode(values) : 0;
    if (done < values.count) this.#copy(values, done);
  }

  appendNulls(rows: number): void {
    this.#presence.appendNulls(rows);
  }

  mark(): void {
    this.#presence.mark();
    this.#markedCount = this.#plain.count;
    this.#markedLength = this.#plain.length;
    this.#markedCoded = this.#coded;
  }

  rewind(): void {
    this.#presence.rewind();
    this.#plain.count = this.#markedCount;
    this.#plain.length = this.#markedLength;
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
      dictionary: coded === 0 ? null : dense(this.#values),
      plain: dense(this.#plain),
    };
  }

  reset(): void {
    this.#presence.reset();
    this.#plain.count = this.#plain.length = 0;
    this.#values.count = this.#values.length = 0;
    this.#coded = 0;
    if (this.#alive) this.#slots.fill(0);
    else if (--this.#without <= 0) this.#alive = true;
  }

  forgetCodes(): void {}

  release(): void {
    this.#plain.release();
    this.#values.release();
    giveMemory(this.#ids.buffer);
  }

  #copy(values: Scratch, first: number): void {
    const { from, to, bytes, view, count } = values;
    const plain = this.#plain;
    let need = 0;
    for (let i = first; i < count; i++) {
      const end = to[i] ?? 0;
      need += (end < 0 ? ~end : end) - (from[i] ?? 0) + 4;
    }
    plain.reach(need);
    const out = plain.view;
    let length = plain.length;
    for (let i = first; i < count; i++) {
      const at = from[i] ?? 0;
      const end = to[i] ?? 0;
      const size = end - at;
      if (end >= 0 && size <= LONG) {
        out.setInt32(length, size, true);
        length += 4;
        for (let k = 0; k < size; k += 4) out.setInt32(length + k, view.getInt32(at + k, true), true);
        length += size;
        continue;
      }
      plain.length = length;
      if (end >= 0) plain.add(bytes, view, at, size);
      else {
        const copied = this.#unescape(values, at, ~end);
        plain.add(this.#unescaped, this.#unescapedView, 0, copied);
      }
      length = plain.length;
      plain.count--;
    }
    plain.length = length;
    plain.count += count - first;
  }

  /** Writes ids for the texts; gives how many before the dictionary ended. */
  #encode(values: Scratch): number {
    const { from, to, bytes, view, count } = values;
    const coded = this.#coded;
    // A load outside of an array, once seen, makes every later one slower.
    if (this.#slots.length === 0) this.#slots = new Int32Array(FIRST_SLOTS * 4);
    if (coded + count > this.#ids.length) {
      const ids = new Uint16Array(takeMemory(Math.max(coded + count, this.#ids.length * 2) * 2));
      ids.set(this.#ids.subarray(0, coded));
      giveMemory(this.#ids.buffer);
      this.#ids = ids;
    }
    const ids = this.#ids;
    let slots = this.#slots;
    let i = 0;
    for (; i < count; i++) {
      const at = from[i] ?? 0;
      const end = to[i] ?? 0;
      const length = end - at;
      if (end >= 0 && length <= SHORT) {
        // Most are short and known: everything that `#find` does for them, in place.
        const low = view.getInt32(at, true) & (KEEP_LOW[length] ?? 0);
        const high = view.getInt32(at + 4, true) & (KEEP_HIGH[length] ?? 0);
        const slot = (hash(low, high, length) << 2) & (slots.length - 1);
        if (slots[slot] === low && slots[slot + 1] === high && slots[slot + 2] === length) {
          const known = slots[slot + 3] ?? 0;
          if (known !== 0) {
            ids[coded + i] = known - 1;
            continue;
          }
        }
      }
      const place = end >= 0 ? this.#find(bytes, view, at, length, coded + i) : this.#findDoubled(values, at, ~end, coded + i);
      if (place === 0) {
        this.#giveUp();
        break;
      }
      slots = this.#slots;
      ids[coded + i] = place - 1;
    }
    this.#coded = coded + i;
    return i;
  }

  #findDoubled(values: Scratch, from: number, to: number, rows: number): number {
    const length = this.#unescape(values, from, to);
    return this.#find(this.#unescaped, this.#unescapedView, 0, length, rows);
  }

  /** The id + 1 of a text, new or not; 0 when the dictionary has come to its end. */
  #find(bytes: Uint8Array, view: DataView, at: number, length: number, rows: number): number {
    let low: number;
    let high: number;
    if (length <= SHORT) {
      low = view.getInt32(at, true) & (KEEP_LOW[length] ?? 0);
      high = view.getInt32(at + 4, true) & (KEEP_HIGH[length] ?? 0);
    } else {
      low = length;
      high = 0;
      for (let i = at, last = at + length - 4; ; i += 4) {
        if (i > last) i = last;
        const word = view.getInt32(i, true);
        low = Math.imul(low ^ word, 0x9e3779b1);
        low ^= low >>> 15;
        high = (Math.imul(high, 31) + word) | 0;
        if (i === last) break;
      }
    }
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = (hash(low, high, length) << 2) & mask;
    for (; ; slot = (slot + 4) & mask) {
      const place = slots[slot + 3] ?? 0;
      if (place === 0) break;
      if (slots[slot] !== low || slots[slot + 1] !== high || slots[slot + 2] !== length) continue;
      if (length <= SHORT || this.#equals(place - 1, view, at, length)) return place;
    }
    return this.#goesOn(rows) ? this.#add(bytes, view, at, length, low, high) : 0;
  }

  /** Longer texts cost more to look up than they save, unless they come again and again. */
  #goesOn(rows: number): boolean {
    const { count, length } = this.#values;
    if (count >= MOST_DISTINCT - 2 || !keepsDictionary(count, rows)) return false;
    const asked = count === 2_048 || count === 8_192 || count === 32_768;
    return !asked || length < count * (SHORT + 4) || rows >= count * 2;
  }

  #equals(id: number, view: DataView, at: number, length: number): boolean {
    const start = this.#starts[id] ?? 0;
    const known = this.#values.view;
    for (let i = 0, last = length - 4; ; i += 4) {
      if (i > last) i = last;
      if (known.getInt32(start + i, true) !== view.getInt32(at + i, true)) return false;
      if (i === last) return true;
    }
  }

  #add(bytes: Uint8Array, view: DataView, at: number, length: number, low: number, high: number): number {
    const values = this.#values;
    const id = values.count;
    if (id >= this.#starts.length) {
      const starts = new Int32Array(Math.max(id * 2, 256));
      starts.set(this.#starts);
      this.#starts = starts;
    }
    this.#starts[id] = values.length + 4;
    values.add(bytes, view, at, length);
    if ((id + 1) * 4 > this.#slots.length * 0.7) this.#rehash();
    place(this.#slots, low, high, length, id + 1);
    return id + 1;
  }

  #rehash(): void {
    const old = this.#slots;
    const slots = new Int32Array(old.length * 2);
    for (let slot = 0; slot < old.length; slot += 4) {
      const at = old[slot + 3] ?? 0;
      if (at !== 0) place(slots, old[slot] ?? 0, old[slot + 1] ?? 0, old[slot + 2] ?? 0, at);
    }
    this.#slots = slots;
  }

  /** Copies a text with each doubled quote as one; gives its length. */
  #unescape(values: Scratch, from: number, to: number): number {
    const { bytes, quote } = values;
    if (to - from + 8 > this.#unescaped.length) {
      this.#unescaped = new Uint8Array((to - from) * 2 + 64);
      this.#unescapedView = new DataView(this.#unescaped.buffer);
    }
    const out = this.#unescaped;
    let length = 0;
    for (let at = from; at < to; at++) {
      const c = bytes[at] ?? 0;
      out[length++] = c;
      if (c === quote) at++;
    }
    return length;
  }

  #giveUp(): void {
    this.#alive = false;
    this.#without = REST_GROUPS;
    this.#slots = NO_SLOTS;
  }
}

function dense(texts: Texts) {
  return { form: "bytes", count: texts.count, length: texts.length, data: texts.data } as const;
}

function place(slots: Int32Array, low: number, high: number, length: number, at: number): void {
  const mask = slots.length - 1;
  let slot = (hash(low, high, length) << 2) & mask;
  while (slots[slot + 3] !== 0) slot = (slot + 4) & mask;
  slots[slot] = low;
  slots[slot + 1] = high;
  slots[slot + 2] = length;
  slots[slot + 3] = at;
}

function hash(low: number, high: number, length: number): number {
  let h = Math.imul(low ^ Math.imul(high + length, 0x85ebca6b), 0xc2b2ae35);
  h ^= h >>> 15;
  return h;
}
