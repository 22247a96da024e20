import { CompactWriter, ELEMENT } from "../parquet/thrift-writer.ts";
import { startOf } from "./parquet-check.ts";
import type { ChunkMeta, ParquetFooter } from "./parquet-footer.ts";
import type { Source } from "./source.ts";

/**
 * A footer with two known slips of old writers set right: a count of 0 rows beside row groups that have some, and parquet-mr's
 * column chunks that forgot their dictionary page's header. `end` is where the footer begins.
 */
export function mendedFooter(footer: ParquetFooter, end: number): ParquetFooter {
  // Chunks of a group without rows may lie anywhere.
  const full = footer.groups.filter((group) => group.rows !== 0 || group.chunks.some(({ values }) => values !== 0));
  const rows = footer.rows === 0 ? footer.groups.reduce((sum, group) => sum + group.rows, 0) : footer.rows;
  if (!forgetsDictionaryHeaders(footer)) return { ...footer, rows, groups: full };
  const starts = full.flatMap(({ chunks }) => chunks.map(startOf)).sort((a, b) => a - b);
  const groups = full.map((group) => ({
    ...group,
    chunks: group.chunks.map((chunk) => ({ ...chunk, compressed: longer(chunk, starts, end) })),
  }));
  return { ...footer, rows, groups };
}

/**
 * The same file with a footer that says only what reading needs: no statistics, indexes, orders or fields of drafts that
 * never became the format, which parquet-wasm refuses a file for.
 */
export function withNormalFooter(source: Source, footer: ParquetFooter, end: number): Source {
  const bytes = footerBytes(footer);
  return {
    size: end + bytes.length,
    read: async (from, to) => {
      if (to <= end) return source.read(from, to);
      const tail = bytes.subarray(Math.max(from - end, 0), Math.max(to - end, 0));
      return from >= end ? tail : Buffer.concat([await source.read(from, end), tail]);
    },
  };
}

/** FileMetaData: 1 version, 2 schema, 3 num_rows, 4 row_groups, 5 key_value_metadata, 6 created_by; its length; "PAR1". */
function footerBytes(footer: ParquetFooter): Uint8Array {
  const writer = new CompactWriter(64 * 1024);
  writer.begin();
  writer.i32(1, footer.version);
  writer.rawList(2, footer.schemaBytes);
  writer.i64(3, footer.rows);
  writer.list(4, ELEMENT.struct, footer.groups.length);
  for (const { rows, bytes, chunks } of footer.groups) {
    writer.begin();
    writer.list(1, ELEMENT.struct, chunks.length);
    for (const chunk of chunks) writeChunk(writer, chunk);
    writer.i64(2, Math.max(bytes, 0));
    writer.i64(3, rows);
    writer.end();
  }
  if (footer.keyValues !== null) writer.rawList(5, footer.keyValues);
  if (footer.createdBy !== null) writer.binary(6, footer.createdBy);
  writer.end();
  const length = Buffer.alloc(4);
  length.writeUInt32LE(writer.length);
  return Buffer.concat([writer.bytes(), length, Buffer.from("PAR1")]);
}

function writeChunk(writer: CompactWriter, chunk: ChunkMeta): void {
  writer.begin();
  writer.i64(2, startOf(chunk));
  writer.begin(3);
  writer.i32(1, chunk.type);
  writer.rawList(2, chunk.encodings.length > 0 ? chunk.encodings : NO_ENCODINGS);
  writer.rawList(3, chunk.path);
  writer.i32(4, chunk.codec);
  writer.i64(5, chunk.values);
  writer.i64(6, chunk.uncompressed);
  writer.i64(7, chunk.compressed);
  writer.i64(9, chunk.dataAt);
  if (chunk.dictionaryAt > 0 && chunk.dictionaryAt < chunk.dataAt) writer.i64(11, chunk.dictionaryAt);
  writer.end();
  writer.end();
}

/** An empty list of i32. */
const NO_ENCODINGS = Uint8Array.of(ELEMENT.i32);

/** PARQUET-816: parquet-mr before 1.2.9, and those that name no version. */
function forgetsDictionaryHeaders({ createdBy }: ParquetFooter): boolean {
  const text = createdBy === null ? "" : Buffer.from(createdBy).toString("latin1", 0, 100);
  const version = /^parquet-mr(?:\s+version\s+(\d+)\.(\d+)\.(\d+))?/.exec(text);
  if (!version) return false;
  const [major, minor, patch] = version.slice(1).map((part) => Number(part ?? 0));
  return (major ?? 0) < 1 || (major === 1 && ((minor ?? 0) < 2 || (minor === 2 && (patch ?? 0) < 9)));
}

/** The length with up to 100 bytes more, as far as the next column chunk. `starts` ascend. */
function longer(chunk: ChunkMeta, starts: readonly number[], end: number): number {
  const from = startOf(chunk);
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) > from) high = middle;
    else low = middle + 1;
  }
  return Math.max(chunk.compressed, Math.min(chunk.compressed + 100, (starts[low] ?? end) - from));
}
