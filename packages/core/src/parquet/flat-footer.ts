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

/** The metadata of one chunk and its two page indexes, as Thrift structs. `columnIndex` is empty where values have no order. */
export interface ChunkRecord {
  readonly metadata: Uint8Array;
  readonly columnIndex: Uint8Array;
  readonly offsetIndex: Uint8Array;
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

export function chunkRecord(out: CompactWriter, facts: ChunkFacts): ChunkRecord {
  const take = (write: () => void) => {
    out.clear();
    write();
    return out.bytes().slice();
  };
  return {
    metadata: take(() => writeMetadata(out, facts)),
    columnIndex: facts.chunk.ordered ? take(() => writeColumnIndex(out, facts)) : new Uint8Array(0),
    offsetIndex: take(() => writeOffsetIndex(out, facts)),
  };
}

/** ColumnMetaData. */
function writeMetadata(out: CompactWriter, { column, codec, rows, chunk, places, plainLength }: ChunkFacts): void {
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
  out.i64(
    7,
    places.reduce((sum, place) => sum + place.length, 0),
  );
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

/** One row group's chunks, in the schema's order. `bytes` and `plainBytes` are the chunks' lengths in all. */
export interface RowGroupRecord {
  readonly rows: number;
  readonly offset: number;
  readonly bytes: number;
  readonly plainBytes: number;
  readonly chunks: readonly ChunkRecord[];
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
  const chunks = facts.groups.flatMap((group) => group.chunks);
  const indexes = [...chunks.map((chunk) => chunk.columnIndex), ...chunks.map((chunk) => chunk.offsetIndex)];
  const metadata = fileMetadata(facts, chunks);
  const size = Buffer.alloc(8);
  size.writeUInt32LE(metadata.length);
  size.write("PAR1", 4);
  return [Buffer.concat(indexes), metadata, size];
}

function fileMetadata(facts: FooterFacts, chunks: readonly ChunkRecord[]): Uint8Array {
  const { schema, groups } = facts;
  const out = new CompactWriter(64 * 1024);
  out.begin();
  out.i32(1, 1);
  out.list(2, ELEMENT.struct, schema.columns.length + 1);
  writeRoot(out, schema.columns.length);
  for (const column of schema.columns) writeElement(out, column);
  out.i64(3, facts.rows);
  out.list(4, ELEMENT.struct, groups.length);
  let columnAt = facts.offset;
  let offsetAt = facts.offset + chunks.reduce((sum, chunk) => sum + chunk.columnIndex.length, 0);
  for (const group of groups) {
    out.begin();
    out.list(1, ELEMENT.struct, group.chunks.length);
    for (const chunk of group.chunks) {
      writeChunk(out, chunk, columnAt, offsetAt);
      columnAt += chunk.columnIndex.length;
      offsetAt += chunk.offsetIndex.length;
    }
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

/** ColumnChunk. */
function writeChunk(out: CompactWriter, chunk: ChunkRecord, columnAt: number, offsetAt: number): void {
  out.begin();
  out.i64(2, 0);
  out.structBytes(3, chunk.metadata);
  out.i64(4, offsetAt);
  out.i32(5, chunk.offsetIndex.length);
  if (chunk.columnIndex.length > 0) {
    out.i64(6, columnAt);
    out.i32(7, chunk.columnIndex.length);
  }
  out.end();
}
