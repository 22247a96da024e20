import type { Source } from "./source.ts";

/**
 * A Source in a Blob's clothes: parquet-wasm asks only for `size`, `slice` and `arrayBuffer`, so that it reads ranges of
 * the raw bytes as it needs them and never the whole file.
 */
export function blobOf(source: Source): Blob {
  return range(source, 0, source.size) as unknown as Blob;
}

interface BlobRange {
  readonly size: number;
  slice(from?: number, to?: number): BlobRange;
  arrayBuffer(): Promise<ArrayBuffer>;
}

function range(source: Source, start: number, end: number): BlobRange {
  return {
    size: end - start,
    slice: (from = 0, to = end - start) => range(source, start + from, Math.min(start + to, end)),
    arrayBuffer: async () => {
      const bytes = await source.read(start, end);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    },
  };
}
