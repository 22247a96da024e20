import { FlatTable, readingMetadata, sizeOf } from "./flatbuffer.ts";
import { unreadable } from "./refuse.ts";
import { type ArrowSchema, readSchema } from "./schema.ts";

/** What a record or dictionary batch says of its body, before anything of it is believed. */
export interface BatchHead {
  readonly rows: number;
  /** Length and nulls of each array, depth first: two numbers an array. */
  readonly nodes: readonly number[];
  /** Offset and length in the body of each buffer: two numbers a buffer. */
  readonly buffers: readonly number[];
  readonly codec: "lz4" | "zstd" | null;
  /** How many data buffers each view array has, depth first. */
  readonly variadic: readonly number[];
  /** Metadata before version 5 gave unions a validity buffer. */
  readonly unionValidity: boolean;
}

/** One message of Message.fbs. */
export type Message = { readonly bodyBytes: number } & (
  | { readonly is: "schema"; readonly schema: ArrowSchema }
  | { readonly is: "batch"; readonly batch: BatchHead }
  | { readonly is: "dictionary"; readonly id: string; readonly delta: boolean; readonly batch: BatchHead }
);

/** MetadataVersion.V4; before it, buffers were laid out in other ways. */
const OLDEST_VERSION = 3;
const V5 = 4;

/** Message: 0 version, 1 header_type, 2 header, 3 bodyLength. Throws `unreadable`, and `limit_exceeded` for columns. */
export function readMessage(bytes: Uint8Array, columns: number): Message {
  return readingMetadata("a message", () => {
    const table = FlatTable.root(bytes);
    const version = table.int16(0);
    if (version < OLDEST_VERSION || version > V5) unreadable(`metadata version ${version + 1} where 4 and 5 are known`);
    const header = table.table(2) ?? unreadable("a message without a header");
    const bodyBytes = table.size(3, "the length of a body");
    switch (table.uint8(1)) {
      case 1:
        return { is: "schema", bodyBytes, schema: readSchema(header, columns) };
      case 2:
        return {
          is: "dictionary",
          bodyBytes,
          id: String(header.int64(0)),
          delta: header.bool(2),
          batch: readBatch(header.table(1) ?? unreadable("a dictionary without values"), version),
        };
      case 3:
        return { is: "batch", bodyBytes, batch: readBatch(header, version) };
      default:
        return unreadable(`a message of type ${table.uint8(1)}, which is no table`);
    }
  });
}

/** RecordBatch: 0 length, 1 nodes, 2 buffers, 3 compression (0 codec, 1 method), 4 variadicBufferCounts. */
function readBatch(table: FlatTable, version: number): BatchHead {
  const compression = table.table(3);
  if (compression && compression.uint8(1) !== 0) unreadable("a body compressed in an unknown way");
  return {
    rows: table.size(0, "the number of rows"),
    nodes: sizes(table.structs(1, 16), "the length of an array"),
    buffers: sizes(table.structs(2, 16), "the place of a buffer"),
    codec:
      compression === null ? null : (([`lz4`, `zstd`] as const)[compression.uint8(0)] ?? unreadable("a body in an unknown compression")),
    variadic: sizes(table.structs(4, 8), "a number of buffers"),
    unionValidity: version < V5,
  };
}

function sizes(view: DataView, what: string): number[] {
  return Array.from({ length: view.byteLength / 8 }, (_, i) => sizeOf(view.getBigInt64(i * 8, true), what));
}

/** Where a message of an Arrow file lies. `metadataBytes` counts its length prefix. */
export interface Block {
  readonly at: number;
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

export interface Footer {
  readonly schema: ArrowSchema;
  readonly dictionaries: readonly Block[];
  readonly batches: readonly Block[];
}

/** Footer: 1 schema, 2 dictionaries, 3 recordBatches, of Block {offset long, metaDataLength int, bodyLength long}. */
export function readFooter(bytes: Uint8Array, columns: number): Footer {
  return readingMetadata("the footer", () => {
    const table = FlatTable.root(bytes);
    return {
      schema: readSchema(table.table(1) ?? unreadable("a footer without a schema"), columns),
      dictionaries: blocks(table.structs(2, 24)),
      batches: blocks(table.structs(3, 24)),
    };
  });
}

function blocks(view: DataView): Block[] {
  return Array.from({ length: view.byteLength / 24 }, (_, i) => ({
    at: sizeOf(view.getBigInt64(i * 24, true), "the place of a batch"),
    metadataBytes: sizeOf(BigInt(view.getInt32(i * 24 + 8, true)), "the length of a batch's metadata"),
    bodyBytes: sizeOf(view.getBigInt64(i * 24 + 16, true), "the length of a batch"),
  }));
}
