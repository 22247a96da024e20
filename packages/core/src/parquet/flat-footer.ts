import type { TableSchema } from "../domain/table-schema.ts";
import { type Bounds, compareBounds, mergeBounds } from "./bound.ts";
import { CODEC_IDS, type Codec } from "./compress.ts";
import { type EncodedChunk, ENCODING, type RawPage } from "./encoded-chunk.ts";
import { physicalOf, writeElement, writeRoot } from "./physical-type.ts";
import { CompactWriter, ELEMENT } from "./thrift-writer.ts";
import type { Column } from "../domain/table-schema.ts";

const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;

/** Where a page lies in its file and how long it is, header included. */
export interface PagePlace {
  readonly offset: number;
  readonly length: number;
}

/** A PageHeader (parquet.thrift): uncompressed and compressed length, CRC-32 of the compressed bytes, and what the page holds. */
export function writePageHeader(out: CompactWriter, page: RawPage, compressedLength: number, crc: number): void {
  out.begin();
  out.i32(1, page.dictionary ? DICTIONARY_PAGE : DATA_PAGE);
  out.i32(2, page.raw.bytes.length);
  out.i32(3, compressedLength);
  out.i32(4, crc);
  out.begin(page.dictionary ? 7 : 5);
  out.i32(1, page.rows);
  out.i32(2, page.encoding);
  if (!page.dictionary) {
    out.i32(3, ENCODING.rle);
    out.i32(4, ENCODING.rle);
  }
  out.end();
  out.end();
}

export interface ChunkFacts {
  readonly column: Column;
  readonly codec: Codec;
  readonly rows: number;
  readonly chunk: EncodedChunk;
  readonly places: readonly PagePlace[];
  /** Length of the chunk without compression, page headers included. */
  readonly plainLength: number;
}

/**
 * What the footer says of one row group: the ColumnMetaData, ColumnIndex and OffsetIndex of each chunk, in Thrift, one behind
 * the other. A table of 16,384 columns has as many of each a row group, so they are not kept as objects.
 */
export class RowGroupRecord {
  rows = 0;
  /** Where its first chunk begins; -1 while there is none. */
  offset = -1;
  /** Lengths of its chunks in all, compressed and not, page headers included. */
  bytes = 0;
  plainBytes = 0;
  readonly metadata = new CompactWriter();
  readonly columnIndexes = new CompactWriter();
  readonly offsetIndexes = new CompactWriter();
  /** Three lengths a chunk. A column index is of length 0 where values have no order. */
  readonly lengths: number[] = [];

  add(facts: ChunkFacts): void {
    const bytes = facts.places.reduce((sum, place) => sum + place.length, 0);
    if (this.offset < 0) this.offset = facts.places[0]?.offset ?? 0;
    this.bytes += bytes;
    this.plainBytes += facts.plainLength;
    const { metadata, columnIndexes, offsetIndexes } = this;
    const before = [metadata.length, columnIndexes.length, offsetIndexes.length] as const;
    writeMetadata(metadata, facts, bytes);
    if (facts.chunk.ordered) writeColumnIndex(columnIndexes, facts);
    writeOffsetIndex(offsetIndexes, facts);
    this.lengths.push(metadata.length - before[0], columnIndexes.length - before[1], offsetIndexes.length - before[2]);
  }

  /** Bytes of it in the file. */
  get length(): number {
    return this.metadata.length + this.columnIndexes.length + this.offsetIndexes.length;
  }
}

/** ColumnMetaData. */
function writeMetadata(out: CompactWriter, { column, codec, rows, chunk, places, plainLength }: ChunkFacts, bytes: number): void {
  const { pages } = chunk;
  const encodings = [...new Set([ENCODING.plain, ENCODING.rle, ...pages.map((page) => page.encoding)])];
  const firstData = pages.findIndex((page) => !page.dictionary);
  out.begin();
  out.i32(1, physicalOf(column.type).type);
  out.list(2, ELEMENT.i32, encodings.length);
  for (const encoding of encodings) out.zigzag(encoding);
  out.list(3, ELEMENT.binary, 1);
  out.binaryElement(Buffer.from(column.name));
  out.i32(4, CODEC_IDS[codec]);
  out.i64(5, rows);
  out.i64(6, plainLength);
  out.i64(7, bytes);
  out.i64(9, places[firstData]?.offset ?? 0);
  if (firstData > 0) out.i64(11, places[0]?.offset ?? 0);
  writeStatistics(out, column, chunk);
  writeEncodingStats(out, pages);
  out.end();
}

function writeStatistics(out: CompactWriter, column: Column, chunk: EncodedChunk): void {
  out.begin(12);
  out.i64(
    3,
    chunk.pages.reduce((sum, page) => sum + page.nulls, 0),
  );
  let bounds: Bounds | null = null;
  if (chunk.ordered) {
    for (const page of chunk.pages) {
      if (page.bounds !== null) bounds = bounds === null ? page.bounds : mergeBounds(column.type, bounds, page.bounds);
    }
  }
  if (bounds !== null) {
    out.binary(5, bounds.max.bytes);
    out.binary(6, bounds.min.bytes);
    out.bool(7, bounds.max.exact);
    out.bool(8, bounds.min.exact);
  }
  out.end();
}

/** PageEncodingStats: from it readers know that a chunk is coded throughout. */
function writeEncodingStats(out: CompactWriter, pages: readonly RawPage[]): void {
  const counts = new Map<string, { page: number; encoding: number; count: number }>();
  for (const { dictionary, encoding } of pages) {
    const page = dictionary ? DICTIONARY_PAGE : DATA_PAGE;
    const entry = counts.get(`${page} ${encoding}`) ?? { page, encoding, count: 0 };
    entry.count++;
    counts.set(`${page} ${encoding}`, entry);
  }
  out.list(13, ELEMENT.struct, counts.size);
  for (const { page, encoding, count } of counts.values()) {
    out.begin();
    out.i32(1, page);
    out.i32(2, encoding);
    out.i32(3, count);
    out.end();
  }
}

const UNORDERED = 0;
const ASCENDING = 1;
const DESCENDING = 2;
const EMPTY = new Uint8Array(0);

/** ColumnIndex: which pages hold only nulls, the extremes and nulls of each, and whether the extremes are sorted. */
function writeColumnIndex(out: CompactWriter, { column, chunk }: ChunkFacts): void {
  const pages = chunk.pages.filter((page) => !page.dictionary);
  out.begin();
  out.list(1, ELEMENT.bool, pages.length);
  for (const page of pages) out.boolElement(page.bounds === null);
  out.list(2, ELEMENT.binary, pages.length);
  for (const page of pages) out.binaryElement(page.bounds?.min.bytes ?? EMPTY);
  out.list(3, ELEMENT.binary, pages.length);
  for (const page of pages) out.binaryElement(page.bounds?.max.bytes ?? EMPTY);
  out.i32(4, boundaryOrder(column, pages));
  out.list(5, ELEMENT.i64, pages.length);
  for (const page of pages) out.zigzag(page.nulls);
  out.end();
}

function boundaryOrder(column: Column, pages: readonly RawPage[]): number {
  const bounds = pages.flatMap((page) => page.bounds ?? []);
  const sorted = (sign: 1 | -1) =>
    bounds.every((now, i) => {
      const before = bounds[i - 1];
      if (!before) return true;
      return sign * compareBounds(column.type, before.min, now.min) <= 0 && sign * compareBounds(column.type, before.max, now.max) <= 0;
    });
  return sorted(1) ? ASCENDING : sorted(-1) ? DESCENDING : UNORDERED;
}

/** OffsetIndex: where each data page lies and its first row. */
function writeOffsetIndex(out: CompactWriter, { chunk, places }: ChunkFacts): void {
  const pages = chunk.pages.flatMap((page, i) => {
    const place = places[i];
    return page.dictionary || !place ? [] : [{ rows: page.rows, place }];
  });
  out.begin();
  out.list(1, ELEMENT.struct, pages.length);
  let row = 0;
  for (const { rows, place } of pages) {
    out.begin();
    out.i64(1, place.offset);
    out.i32(2, place.length);
    out.i64(3, row);
    out.end();
    row += rows;
  }
  out.end();
}

export interface FooterFacts {
  readonly schema: TableSchema;
  readonly rows: number;
  readonly groups: readonly RowGroupRecord[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Where the page indexes begin: the length of the file so far. */
  readonly offset: number;
}

/** Everything after the last row group: all column indexes, all offset indexes, FileMetaData, its length, the magic. */
export function writeFooter(facts: FooterFacts): Uint8Array[] {
  const metadata = fileMetadata(facts);
  const size = Buffer.alloc(8);
  size.writeUInt32LE(metadata.length);
  size.write("PAR1", 4);
  const { groups } = facts;
  return [...groups.map((group) => group.columnIndexes.bytes()), ...groups.map((group) => group.offsetIndexes.bytes()), metadata, size];
}

function fileMetadata(facts: FooterFacts): Uint8Array {
  const { schema, groups } = facts;
  const out = new CompactWriter(64 * 1024);
  out.begin();
  out.i32(1, 1);
  out.list(2, ELEMENT.struct, schema.columns.length + 1);
  writeRoot(out, schema.columns.length);
  for (const column of schema.columns) writeElement(out, column);
  out.i64(3, facts.rows);
  out.list(4, ELEMENT.struct, groups.length);
  const places = { column: facts.offset, offset: facts.offset };
  for (const group of groups) places.offset += group.columnIndexes.length;
  for (const group of groups) {
    out.begin();
    out.list(1, ELEMENT.struct, schema.columns.length);
    writeChunks(out, group, places);
    out.i64(2, group.plainBytes);
    out.i64(3, group.rows);
    out.i64(5, group.offset);
    out.i64(6, group.bytes);
    out.end();
  }
  out.list(5, ELEMENT.struct, facts.metadata.size);
  for (const [key, value] of facts.metadata) {
    out.begin();
    out.text(1, key);
    out.text(2, value);
    out.end();
  }
  out.text(6, "sluice");
  // ColumnOrder TYPE_ORDER for each column: without it min_value and max_value say nothing.
  out.list(7, ELEMENT.struct, schema.columns.length);
  for (let i = 0; i < schema.columns.length; i++) {
    out.begin();
    out.begin(1);
    out.end();
    out.end();
  }
  out.end();
  return out.bytes();
}

/** A ColumnChunk for each column; `places` says where the next indexes lie. */
function writeChunks(out: CompactWriter, group: RowGroupRecord, places: { column: number; offset: number }): void {
  const metadata = group.metadata.bytes();
  let at = 0;
  for (let i = 0; i < group.lengths.length; i += 3) {
    const [length = 0, columnIndex = 0, offsetIndex = 0] = [group.lengths[i], group.lengths[i + 1], group.lengths[i + 2]];
    out.begin();
    out.i64(2, 0);
    out.structBytes(3, metadata.subarray(at, at + length));
    out.i64(4, places.offset);
    out.i32(5, offsetIndex);
    if (columnIndex > 0) {
      out.i64(6, places.column);
      out.i32(7, columnIndex);
    }
    out.end();
    at += length;
    places.offset += offsetIndex;
    places.column += columnIndex;
  }
}
