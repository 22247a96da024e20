import { CompactReader } from "../parquet/thrift.ts";

/**
 * A Parquet FileMetaData, read by our own eyes before any library sees it: what is needed to check it, and the bytes of what is
 * passed on as it was. Field numbers are those of parquet.thrift.
 */
export interface ParquetFooter {
  readonly version: number;
  readonly schema: readonly SchemaElement[];
  /** The list of schema elements as it was written, its head included. */
  readonly schemaBytes: Uint8Array;
  readonly rows: number;
  readonly groups: readonly RowGroup[];
  /** key_value_metadata as it was written, or null. */
  readonly keyValues: Uint8Array | null;
  readonly createdBy: Uint8Array | null;
  readonly encrypted: boolean;
}

/** `children` is null for a leaf, whose `type` is its physical type. */
export interface SchemaElement {
  readonly type: number | null;
  readonly typeLength: number;
  /** 0 required, 1 optional, 2 repeated. */
  readonly repetition: number;
  readonly children: number | null;
}

export interface RowGroup {
  readonly rows: number;
  readonly bytes: number;
  readonly chunks: readonly ChunkMeta[];
}

export interface ChunkMeta {
  readonly type: number;
  readonly codec: number;
  readonly values: number;
  readonly uncompressed: number;
  readonly compressed: number;
  readonly dataAt: number;
  /** 0 where there is none: old writers say 0 too. */
  readonly dictionaryAt: number;
  /** Encodings and path as they were written. */
  readonly encodings: Uint8Array;
  readonly path: Uint8Array;
  /** Whether it lies in another file. */
  readonly elsewhere: boolean;
  readonly encrypted: boolean;
}

const LIST = 9;
const BINARY = 8;

/** Reads the footer's bytes. Throws a plain Error where they make no sense. */
export function readFooter(bytes: Uint8Array): ParquetFooter {
  const reader = new CompactReader(bytes);
  let [version, rows] = [1, -1];
  let schema: SchemaElement[] | null = null;
  let schemaBytes = new Uint8Array(0);
  let groups: RowGroup[] = [];
  let keyValues: Uint8Array | null = null;
  let createdBy: Uint8Array | null = null;
  let encrypted = false;
  reader.struct((id, type) => {
    const from = reader.at;
    if (id === 1) version = reader.zigzag();
    else if (id === 2 && type === LIST) {
      schema = items(reader, readElement);
      schemaBytes = bytes.slice(from, reader.at);
    } else if (id === 3) rows = reader.zigzag();
    else if (id === 4 && type === LIST) groups = items(reader, readGroup);
    else if (id === 5 && type === LIST) {
      reader.skip(LIST);
      keyValues = bytes.slice(from, reader.at);
    } else if (id === 6 && type === BINARY) createdBy = reader.binary();
    else {
      if (id === 8) encrypted = true;
      return false;
    }
    return true;
  });
  if (schema === null) throw new Error("it has no schema");
  return { version, schema, schemaBytes, rows, groups, keyValues, createdBy, encrypted };
}

function items<T>(reader: CompactReader, read: (reader: CompactReader) => T): T[] {
  const out: T[] = [];
  reader.list(() => out.push(read(reader)));
  return out;
}

/** SchemaElement: 1 type, 2 type_length, 3 repetition_type, 5 num_children. */
function readElement(reader: CompactReader): SchemaElement {
  let type: number | null = null;
  let children: number | null = null;
  let [typeLength, repetition] = [0, 0];
  reader.struct((id) => {
    if (id === 1) type = reader.zigzag();
    else if (id === 2) typeLength = reader.zigzag();
    else if (id === 3) repetition = reader.zigzag();
    else if (id === 5) children = reader.zigzag();
    else return false;
    return true;
  });
  return { type, typeLength, repetition, children };
}

/** RowGroup: 1 columns, 2 total_byte_size, 3 num_rows. */
function readGroup(reader: CompactReader): RowGroup {
  let chunks: ChunkMeta[] = [];
  let [rows, bytes] = [-1, 0];
  reader.struct((id, type) => {
    if (id === 1 && type === LIST) chunks = items(reader, readChunk);
    else if (id === 2) bytes = reader.zigzag();
    else if (id === 3) rows = reader.zigzag();
    else return false;
    return true;
  });
  return { rows, bytes, chunks };
}

/** ColumnChunk: 1 file_path, 3 meta_data, 8 crypto_metadata, 9 encrypted_column_metadata. */
function readChunk(reader: CompactReader): ChunkMeta {
  let meta: Meta | null = null;
  let [elsewhere, encrypted] = [false, false];
  reader.struct((id) => {
    if (id === 3) {
      meta = readMeta(reader);
      return true;
    }
    if (id === 1) elsewhere = true;
    if (id === 8 || id === 9) encrypted = true;
    return false;
  });
  return { ...((meta as Meta | null) ?? NO_META), elsewhere, encrypted };
}

type Meta = Omit<ChunkMeta, "elsewhere" | "encrypted">;

const NOTHING = new Uint8Array(0);
const NO_META: Meta = {
  type: -1,
  codec: -1,
  values: -1,
  uncompressed: -1,
  compressed: -1,
  dataAt: -1,
  dictionaryAt: 0,
  encodings: NOTHING,
  path: NOTHING,
};

/** ColumnMetaData: 1 type, 2 encodings, 3 path_in_schema, 4 codec, 5 num_values, 6 and 7 sizes, 9 data_page_offset, 11 dictionary_page_offset. */
function readMeta(reader: CompactReader): Meta {
  const meta: { -readonly [K in keyof Meta]: Meta[K] } = { ...NO_META };
  reader.struct((id, type) => {
    if (id === 1) meta.type = reader.zigzag();
    else if (id === 2 && type === LIST) meta.encodings = reader.skipped(LIST);
    else if (id === 3 && type === LIST) meta.path = reader.skipped(LIST);
    else if (id === 4) meta.codec = reader.zigzag();
    else if (id === 5) meta.values = reader.zigzag();
    else if (id === 6) meta.uncompressed = reader.zigzag();
    else if (id === 7) meta.compressed = reader.zigzag();
    else if (id === 9) meta.dataAt = reader.zigzag();
    else if (id === 11) meta.dictionaryAt = reader.zigzag();
    else return false;
    return true;
  });
  return meta;
}
