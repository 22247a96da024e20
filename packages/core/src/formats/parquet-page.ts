import { CompactReader } from "../parquet/thrift.ts";

/** PageHeader of parquet.thrift, as much of it as is compared. Counts are -1 where they are not there. */
export interface PageHeader {
  /** 0 data, 1 index, 2 dictionary, 3 data of version 2. */
  readonly type: number;
  readonly uncompressed: number;
  /** Bytes as they are stored, levels included. */
  readonly length: number;
  readonly crc: number | null;
  readonly values: number;
  readonly encoding: number;
  /** Version 2: levels stand ahead of the values and are not compressed. */
  readonly levels: number;
  readonly nulls: number;
  readonly compressed: boolean;
  /** Where the page's bytes begin. */
  readonly dataFrom: number;
}

/** Reads the header at `at`. Throws a plain Error where it makes no sense. */
export function readPageHeader(bytes: Uint8Array, at: number): PageHeader {
  const reader = new CompactReader(bytes, at);
  let [type, uncompressed, length] = [-1, -1, -1];
  let crc: number | null = null;
  let body = NO_BODY;
  reader.struct((id) => {
    if (id === 1) type = reader.zigzag();
    else if (id === 2) uncompressed = reader.zigzag();
    else if (id === 3) length = reader.zigzag();
    else if (id === 4) crc = reader.zigzag();
    else if (id === 5 || id === 7) body = readBody(reader, false);
    else if (id === 8) body = readBody(reader, true);
    else return false;
    return true;
  });
  return { type, uncompressed, length, crc, ...body, dataFrom: reader.at };
}

const NO_BODY = { values: -1, encoding: -1, levels: 0, nulls: 0, compressed: true };

/**
 * DataPageHeader and DictionaryPageHeader: 1 num_values, 2 encoding. DataPageHeaderV2: 1 num_values, 2 num_nulls, 4 encoding,
 * 5 and 6 bytes of levels, 7 is_compressed.
 */
function readBody(reader: CompactReader, v2: boolean): typeof NO_BODY {
  const body = { ...NO_BODY };
  reader.struct((id, type) => {
    if (id === 1) body.values = reader.zigzag();
    else if (id === (v2 ? 4 : 2)) body.encoding = reader.zigzag();
    else if (v2 && id === 2) body.nulls = reader.zigzag();
    else if (v2 && (id === 5 || id === 6)) body.levels += reader.zigzag();
    else if (v2 && id === 7) body.compressed = type === 1;
    else return false;
    return true;
  });
  return body;
}
