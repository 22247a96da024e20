import { CompactReader } from "./thrift.ts";

/**
 * The end of a Parquet file: [FileMetaData, Thrift compact][its length, uint32 LE]["PAR1"].
 * parquet-wasm takes key-value metadata only before the first row, when counts are not known yet. So placeholders are
 * written, and replaced here: a longer or shorter footer moves nothing else, because all offsets in it point backwards.
 */
const MAGIC = Buffer.from("PAR1");

/** The value that stands for one known only at the end. */
export const PLACEHOLDER = "@@@@@@@@@@@@@@@@@@@@";

/** Bytes that the footer takes at the end of a file, its length and magic included. Throws when the tail ends no Parquet file. */
export function footerLength(tail: Uint8Array): number {
  const end = Buffer.from(tail.buffer, tail.byteOffset, tail.length);
  if (end.length < 8 || !end.subarray(-4).equals(MAGIC)) throw new Error("no Parquet magic at the end");
  return end.readUInt32LE(end.length - 8) + 8;
}

/** A tail that holds the whole footer, with the placeholders of these keys replaced. Throws when one is not there. */
export function fillFooter(tail: Uint8Array, values: ReadonlyMap<string, string>): Uint8Array {
  const length = footerLength(tail);
  if (length > tail.length) throw new Error(`the footer takes ${length} bytes, only ${tail.length} were held back`);
  const before = Buffer.from(tail.buffer, tail.byteOffset, tail.length - length);
  let metadata: Buffer = Buffer.from(tail.buffer, tail.byteOffset + before.length, length - 8);
  for (const [key, value] of values) metadata = replaceValue(metadata, key, value);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(metadata.length);
  return Buffer.concat([before, metadata, size, MAGIC]);
}

/** KeyValue is a struct of two strings: <key> 0x18 <varint length> <value>; 0x18 is "next field, binary" in Thrift compact. */
function replaceValue(metadata: Buffer, key: string, value: string): Buffer {
  const mark = Buffer.concat([Buffer.from(key), Buffer.from([0x18, PLACEHOLDER.length]), Buffer.from(PLACEHOLDER)]);
  const at = metadata.indexOf(mark);
  const bytes = Buffer.from(value);
  if (at < 0 || bytes.length > 127) throw new Error(`no room for ${key} in the footer`);
  const head = metadata.subarray(0, at + Buffer.byteLength(key));
  return Buffer.concat([head, Buffer.from([0x18, bytes.length]), bytes, metadata.subarray(at + mark.length)]);
}

/** num_rows of a FileMetaData in Thrift compact: field 3, after version (1) and schema (2). */
export function rowsInFooter(metadata: Uint8Array): number {
  const reader = new CompactReader(metadata);
  let rows: number | null = null;
  reader.struct((id) => {
    if (id !== 3) return false;
    rows = reader.zigzag();
    return true;
  });
  if (rows === null) throw new Error("the footer has no row count");
  return rows;
}
