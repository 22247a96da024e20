import { CompactReader, THRIFT, varintBytes } from "./thrift.ts";

/**
 * What is read from a Parquet FileMetaData (Thrift compact) beside what parquet-wasm tells. Field numbers are those of
 * parquet.thrift: FileMetaData 2 schema, 5 key_value_metadata; SchemaElement 1 type, 5 num_children.
 */
const SCHEMA = 2;
const KEY_VALUES = 5;
const INT96 = 3;

/** For each leaf of the schema, depth first: whether its physical type is INT96. Throws on bytes that are no metadata. */
export function int96Leaves(metadata: Uint8Array): boolean[] {
  const reader = new CompactReader(metadata);
  const leaves: boolean[] = [];
  reader.struct((id) => {
    if (id !== SCHEMA) return false;
    reader.list(() => {
      let type: number | null = null;
      reader.struct((field) => {
        if (field !== 1) return false;
        type = reader.zigzag();
        return true;
      });
      if (type !== null) leaves.push(type === INT96);
    });
    return true;
  });
  return leaves;
}

/** The metadata with one key-value pair set, every other byte as it was. */
export function withKeyValue(metadata: Uint8Array, key: string, value: string): Uint8Array {
  const pair = Buffer.concat([Buffer.from([0x18]), text(key), Buffer.from([0x18]), text(value), Buffer.from([0])]);
  const out: Uint8Array[] = [];
  let last = 0;
  const emit = (id: number, type: number, body: readonly Uint8Array[]) => {
    out.push(id - last <= 15 ? Buffer.from([((id - last) << 4) | type]) : Buffer.from([type, ...varintBytes(id * 2)]), ...body);
    last = id;
  };
  let done = false;
  const emitPairs = (others: readonly Uint8Array[]) => {
    const size = others.length + 1;
    const head = size < 15 ? Buffer.from([(size << 4) | THRIFT.struct]) : Buffer.from([0xf0 | THRIFT.struct, ...varintBytes(size)]);
    emit(KEY_VALUES, THRIFT.list, [head, ...others, pair]);
    done = true;
  };
  const reader = new CompactReader(metadata);
  reader.struct((id, type) => {
    if (id > KEY_VALUES && !done) emitPairs([]);
    const from = reader.at;
    if (id === KEY_VALUES) emitPairs(pairsBut(reader, metadata, key));
    else {
      reader.skip(type);
      emit(id, type, [metadata.subarray(from, reader.at)]);
    }
    return true;
  });
  if (!done) emitPairs([]);
  return Buffer.concat([...out, Buffer.from([0]), metadata.subarray(reader.at)]);
}

function pairsBut(reader: CompactReader, metadata: Uint8Array, key: string): Uint8Array[] {
  const pairs: Uint8Array[] = [];
  reader.list(() => {
    const from = reader.at;
    let name = "";
    reader.struct((id) => {
      if (id !== 1) return false;
      name = Buffer.from(reader.binary()).toString("utf8");
      return true;
    });
    if (name !== key) pairs.push(metadata.subarray(from, reader.at));
  });
  return pairs;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varintBytes(bytes.length), bytes]);
}
