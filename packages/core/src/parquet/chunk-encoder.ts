import type { ColumnChunk, DenseValues } from "../columns/column-chunk.ts";
import { type Bounds, boundsOf } from "./bound.ts";
import { chooseEncoding } from "./choose-encoding.ts";
import { type EncodedChunk, ENCODING, type Encoding, type RawPage } from "./encoded-chunk.ts";
import { deltaBound, deltaSource, putDelta } from "./delta.ts";
import { type Extremes, extremesOf, extremesOfBytes } from "./extremes.ts";
import { hybridBound, putIds, putLevels, putWideIds, widthOf } from "./hybrid.ts";
import type { PageMemory } from "./page-memory.ts";
import { type Physical, physicalOf } from "./physical-type.ts";
import { decodeIds, plainLength, putPlain } from "./plain.ts";

/** The levels of a page are preceded by their length. */
const LENGTH = 4;

/** Marks of the dictionary's ids that a page names. */
let used = new Uint8Array(65_536);
/** Ids of dictionaries that came as 32-bit words though 16 bits hold them. */
let narrow = new Uint16Array(0);

/** Encodes one chunk into pages of about `pageBytes`. The chunk may be filled again as soon as this returns. */
export function encodeChunk(chunk: ColumnChunk, memory: PageMemory, pageBytes: number): EncodedChunk {
  return new ChunkEncoder(chunk, memory, pageBytes).run();
}

/**
 * A dictionary pays where it and its ids are clearly shorter than the values: zstd makes less of packed ids than of values,
 * so a small gain before compression is a loss after it. One that was given up on the way must pay twice, because what comes
 * after it is compressed without what it holds (free text of few words: 2 % larger).
 */
function dictionaryPays(chunk: ColumnChunk): boolean {
  const { dictionary, coded } = chunk;
  if (coded === 0 || dictionary === null) return true;
  if (dictionary.form === "bools") return false;
  const physical = physicalOf(chunk.type);
  const dictionaryBytes = plainLength(dictionary, physical);
  const idBytes = (coded * widthOf(dictionary.count)) / 8;
  const plainBytes = (dictionaryBytes / Math.max(dictionary.count, 1)) * coded;
  return dictionaryBytes + idBytes <= plainBytes * (chunk.plain.count === 0 ? 0.8 : 0.4);
}

class ChunkEncoder {
  readonly #chunk: ColumnChunk;
  readonly #memory: PageMemory;
  readonly #pageBytes: number;
  readonly #physical: Physical;
  readonly #present: Uint8Array | null;
  readonly #pages: RawPage[] = [];
  #ordered = true;
  /** Rows that are in pages. */
  #row = 0;

  constructor(chunk: ColumnChunk, memory: PageMemory, pageBytes: number) {
    this.#chunk = chunk;
    this.#memory = memory;
    this.#pageBytes = pageBytes;
    this.#physical = physicalOf(chunk.type);
    this.#present = chunk.nulls === 0 ? null : chunk.present;
    if (chunk.nulls > 0 && chunk.present === null) throw new Error(`${chunk.nulls} nulls, and nothing that says where`);
    if (chunk.coded + chunk.plain.count !== chunk.rows - chunk.nulls) {
      throw new Error(`${chunk.rows} rows, ${chunk.nulls} nulls, but ${chunk.coded} + ${chunk.plain.count} values`);
    }
  }

  run(): EncodedChunk {
    const { rows, coded, dictionary, ids, plain } = this.#chunk;
    if (coded > 0) {
      if (dictionary === null || ids === null) throw new Error("a chunk has coded values and no dictionary");
      const end = plain.count === 0 ? rows : this.#rowAfter(0, coded);
      if (dictionaryPays(this.#chunk)) {
        this.#dictionaryPage(dictionary);
        this.#codedPages(dictionary, ids, end);
      } else this.#plainPages(decodeIds(dictionary, ids, coded), end);
    }
    if (this.#row < rows) this.#plainPages(plain, rows);
    return { pages: this.#pages, ordered: this.#ordered };
  }

  #dictionaryPage(values: DenseValues): void {
    const length = plainLength(values, this.#physical);
    const room = this.#memory.room(length);
    putPlain(values, this.#physical, 0, values.form === "bytes" ? values.length : values.count, room, 0);
    const raw = this.#memory.keep(length);
    this.#pages.push({ raw, dictionary: true, encoding: ENCODING.plain, rows: values.count, nulls: 0, bounds: null });
  }

  /** Pages of ids, up to the row `end`. */
  #codedPages(dictionary: DenseValues, ids: Uint16Array | Uint32Array, end: number): void {
    const width = widthOf(dictionary.count);
    const rowsAPage = Math.max(8, Math.floor((this.#pageBytes * 8) / (width + 1)));
    const narrowIds = width <= 16 ? narrowed(ids, this.#chunk.coded) : null;
    let value = 0;
    while (this.#row < end) {
      const to = Math.min(this.#row + rowsAPage, end);
      const values = this.#valuesIn(this.#row, to);
      const last = value + values;
      const { room, at } = this.#openPage(to, hybridBound(values, width) + 1);
      room[at] = width;
      let length = at + 1;
      const marks = noMarks(dictionary.count);
      if (values > 0 && narrowIds !== null) length = putIds(narrowIds, value, last, width, marks, room, length);
      else if (values > 0) length = putWideIds(ids, value, last, width, marks, room, length);
      const bounds = values === 0 ? null : this.#bounds(dictionary, extremesOf(dictionary, 0, dictionary.count, marks));
      this.#closePage(ENCODING.dictionary, to, values, length, bounds);
      value = last;
    }
  }

  /** Pages of values as they are, up to the row `end`: all of these values. */
  #plainPages(plain: DenseValues, end: number): void {
    if (plain.form === "bytes") return this.#textPages(plain, end);
    const encoding = chooseEncoding(plain);
    const bits = plain.form === "bools" ? 1 : this.#physical.width * 8;
    const rowsAPage = Math.max(8, Math.floor((this.#pageBytes * 8) / bits));
    for (let value = 0; this.#row < end;) {
      const to = Math.min(this.#row + rowsAPage, end);
      value += this.#plainPage(plain, encoding, value, to);
    }
  }

  /** A page of the rows up to `to`, whose first value is `value`; says how many values it took. */
  #plainPage(plain: DenseValues, encoding: Encoding, value: number, to: number): number {
    const values = this.#valuesIn(this.#row, to);
    const bound = encoding === ENCODING.delta ? deltaBound(values) : Math.ceil(values * Math.max(this.#physical.width, 1));
    const { room, at } = this.#openPage(to, bound);
    const end =
      encoding === ENCODING.delta
        ? putDelta(deltaSource(plain), value, value + values, room, at)
        : putPlain(plain, this.#physical, value, value + values, room, at);
    this.#closePage(encoding, to, values, end, this.#bounds(plain, extremesOf(plain, value, value + values, null)));
    return values;
  }

  /** Byte arrays differ in length: a page ends with the value that fills it. */
  #textPages(plain: DenseValues & { form: "bytes" }, end: number): void {
    let value = 0;
    let offset = 0;
    while (this.#row < end) {
      const found = extremesOfBytes(plain.data, value, plain.count, offset, this.#pageBytes, null);
      const values = found.to - value;
      const to = found.to === plain.count ? end : this.#rowAfter(this.#row, values);
      const { room, at } = this.#openPage(to, found.end - offset);
      const length = putPlain(plain, this.#physical, offset, found.end, room, at);
      this.#closePage(ENCODING.plain, to, values, length, this.#bounds(plain, found));
      value = found.to;
      offset = found.end;
    }
  }

  /** Room for a page of the rows up to `to`, its levels written; `at` is where its values begin. */
  #openPage(to: number, valueBytes: number): { room: Uint8Array; at: number } {
    const rows = to - this.#row;
    const room = this.#memory.room(LENGTH + hybridBound(rows, 1) + valueBytes + 16);
    const at = putLevels(this.#present, this.#row, to, room, LENGTH);
    const length = at - LENGTH;
    room[0] = length;
    room[1] = length >> 8;
    room[2] = length >> 16;
    room[3] = length >> 24;
    return { room, at };
  }

  #closePage(encoding: Encoding, to: number, values: number, length: number, bounds: Bounds | null): void {
    const rows = to - this.#row;
    this.#pages.push({ raw: this.#memory.keep(length), dictionary: false, encoding, rows, nulls: rows - values, bounds });
    this.#row = to;
  }

  #bounds(values: DenseValues, extremes: Extremes): Bounds | null {
    if (extremes.unordered) this.#ordered = false;
    return boundsOf(this.#chunk.type, values, extremes);
  }

  #valuesIn(from: number, to: number): number {
    const present = this.#present;
    if (present === null) return to - from;
    let values = 0;
    for (let i = from; i < to; i++) values += present[i]!;
    return values;
  }

  /** The row after the one that holds the last of so many values from a row on. */
  #rowAfter(from: number, values: number): number {
    const present = this.#present;
    if (present === null) return from + values;
    let row = from;
    for (let seen = 0; seen < values; row++) seen += present[row]!;
    return row;
  }
}

function narrowed(ids: Uint16Array | Uint32Array, count: number): Uint16Array {
  if (ids instanceof Uint16Array) return ids;
  if (narrow.length < count) narrow = new Uint16Array(count);
  narrow.set(ids.subarray(0, count));
  return narrow;
}

function noMarks(count: number): Uint8Array {
  if (used.length < count) used = new Uint8Array(count);
  return used.fill(0, 0, count);
}
