import type { ColumnChunk, DenseValues } from "../columns/column-chunk.ts";
import { type Bounds, boundsOf } from "./bound.ts";
import { chooseEncoding } from "./choose-encoding.ts";
import { type EncodedChunk, ENCODING, type Encoding, type RawPage } from "./encoded-chunk.ts";
import { deltaBound, type DeltaSource, putDelta } from "./delta.ts";
import { extremesOf, lengthAt } from "./extremes.ts";
import { hybridBound, putIds, putLevels, putWideIds, widthOf } from "./hybrid.ts";
import type { PageMemory } from "./page-memory.ts";
import { type Physical, physicalOf } from "./physical-type.ts";
import { decodeIds, joinValues, plainLength, putPlain } from "./plain.ts";

/** The levels of a page are preceded by their length. */
const LENGTH = 4;

/** Marks of the dictionary's ids that a page names. */
let used = new Uint8Array(65_536);
/** Ids of dictionaries that came as 32-bit words though 16 bits hold them. */
let narrow = new Uint16Array(0);

/** Encodes one chunk into pages of about `pageBytes`. The chunk may be filled again as soon as this returns. */
export function encodeChunk(chunk: ColumnChunk, memory: PageMemory, pageBytes: number): EncodedChunk {
  const encoder = new ChunkEncoder(dictionaryPays(chunk) ? chunk : withoutDictionary(chunk), memory, pageBytes);
  return encoder.run();
}

/**
 * A dictionary pays where it and its ids are clearly shorter than the values: zstd makes less of packed ids than of values,
 * so a small gain before compression is a loss after it.
 */
function dictionaryPays(chunk: ColumnChunk): boolean {
  const { dictionary, coded } = chunk;
  if (coded === 0 || dictionary === null) return true;
  if (dictionary.form === "bools") return false;
  const physical = physicalOf(chunk.type);
  const dictionaryBytes = plainLength(dictionary, physical);
  const idBytes = (coded * widthOf(dictionary.count)) / 8;
  const plainBytes = (dictionaryBytes / Math.max(dictionary.count, 1)) * coded;
  return dictionaryBytes + idBytes <= plainBytes * 0.8;
}

function withoutDictionary(chunk: ColumnChunk): ColumnChunk {
  const { dictionary, ids, coded, plain } = chunk;
  if (dictionary === null || ids === null) throw new Error("a chunk has coded values and no dictionary");
  const decoded = decodeIds(dictionary, ids, coded);
  return { ...chunk, coded: 0, ids: null, dictionary: null, plain: plain.count === 0 ? decoded : joinValues(decoded, plain) };
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
    const chunk = this.#chunk;
    if (chunk.coded > 0) {
      this.#dictionaryPage();
      this.#codedPages(chunk.plain.count === 0 ? chunk.rows : this.#rowAfter(chunk.coded));
    }
    if (this.#row < chunk.rows) this.#plainPages();
    return { pages: this.#pages, ordered: this.#ordered };
  }

  #dictionaryPage(): void {
    const values = this.#chunk.dictionary;
    if (values === null) throw new Error("a chunk has coded values and no dictionary");
    const length = plainLength(values, this.#physical);
    const room = this.#memory.room(length);
    putPlain(values, this.#physical, 0, values.form === "bytes" ? values.length : values.count, room, 0);
    const raw = this.#memory.keep(length);
    this.#pages.push({ raw, dictionary: true, encoding: ENCODING.plain, rows: values.count, nulls: 0, bounds: null });
  }

  /** Pages of ids, up to the row `end`. */
  #codedPages(end: number): void {
    const { dictionary, ids } = this.#chunk;
    if (dictionary === null || ids === null) throw new Error("a chunk has coded values and no ids");
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
      if (values > 0)
        length =
          narrowIds === null ? putWideIds(ids, value, last, width, room, length) : putIds(narrowIds, value, last, width, room, length);
      const bounds = values === 0 ? null : this.#bounds(dictionary, 0, dictionary.count, 0, marksOf(ids, value, last, dictionary.count));
      this.#closePage(ENCODING.dictionary, to, values, length, bounds);
      value = last;
    }
  }

  #plainPages(): void {
    const { plain } = this.#chunk;
    if (plain.form === "bytes") return this.#textPages(plain);
    const encoding = chooseEncoding(plain);
    const bits = plain.form === "bools" ? 1 : this.#physical.width * 8;
    const rowsAPage = Math.max(8, Math.floor((this.#pageBytes * 8) / bits));
    for (let value = 0; this.#row < this.#chunk.rows;) {
      const to = Math.min(this.#row + rowsAPage, this.#chunk.rows);
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
    this.#closePage(encoding, to, values, end, this.#bounds(plain, value, value + values, 0, null));
    return values;
  }

  /** Byte arrays differ in length: a page ends with the value that fills it. */
  #textPages(plain: DenseValues & { form: "bytes" }): void {
    const { data } = plain;
    const { rows } = this.#chunk;
    let offset = 0;
    while (this.#row < rows) {
      let to = this.#row;
      let end = offset;
      let values = 0;
      const present = this.#present;
      for (; to < rows && end - offset < this.#pageBytes; to++) {
        if (present !== null && present[to] === 0) continue;
        end += 4 + lengthAt(data, end);
        values++;
      }
      const { room, at } = this.#openPage(to, end - offset);
      const length = putPlain(plain, this.#physical, offset, end, room, at);
      this.#closePage(ENCODING.plain, to, values, length, this.#bounds(plain, 0, values, offset, null));
      offset = end;
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

  #bounds(values: DenseValues, from: number, to: number, at: number, marks: Uint8Array | null): Bounds | null {
    const extremes = extremesOf(values, from, to, at, marks);
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

  /** The row after the one that holds the value before `value`. */
  #rowAfter(value: number): number {
    const present = this.#present;
    if (present === null) return value;
    let row = 0;
    for (let seen = 0; seen < value; row++) seen += present[row]!;
    return row;
  }
}

function narrowed(ids: Uint16Array | Uint32Array, count: number): Uint16Array {
  if (ids instanceof Uint16Array) return ids;
  if (narrow.length < count) narrow = new Uint16Array(count);
  narrow.set(ids.subarray(0, count));
  return narrow;
}

function marksOf(ids: Uint16Array | Uint32Array, from: number, to: number, count: number): Uint8Array {
  if (used.length < count) used = new Uint8Array(count);
  const marks = used;
  marks.fill(0, 0, count);
  for (let i = from; i < to; i++) marks[ids[i]!] = 1;
  return marks;
}

function deltaSource(plain: DenseValues): DeltaSource {
  if (plain.form === "words") return { words: plain.halves, step: 2 };
  if (plain.form === "days") return { words: plain.values, step: 1 };
  throw new Error(`no deltas of ${plain.form}`);
}
