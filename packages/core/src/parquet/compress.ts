import { constants, gzip, gzipSync, zstdCompress, zstdCompressSync } from "node:zlib";
import { snappy } from "./snappy.ts";

/** How pages are compressed. */
export type Codec = "zstd" | "snappy" | "gzip" | "none";

/** CompressionCodec of parquet.thrift. */
export const CODEC_IDS: Readonly<Record<Codec, number>> = { none: 0, snappy: 1, gzip: 2, zstd: 6 };

/** Smaller pages are compressed at once: handing one to another thread and hearing back costs about 0.1 ms. */
const THREAD_BYTES = 32 * 1024;

/** ZSTD level 3: level 1 made conversions 11 % faster and files 2.4 % larger. */
const ZSTD_LEVEL = { [constants.ZSTD_c_compressionLevel]: 3 };

/**
 * A page's bytes compressed: a large page on one of libuv's threads, a small one at once. The input must stay as it is until
 * the promise settles. `ratio` is about what share of its length it will have: more costs a second way to the thread, less
 * memory.
 */
export function compress(codec: Codec, bytes: Uint8Array, ratio: number): Uint8Array | Promise<Uint8Array> {
  const size = bytes.length;
  const room = size < THREAD_BYTES ? boundOf(size) : Math.min(boundOf(size), Math.ceil(size * ratio * 1.1) + 4_096);
  switch (codec) {
    case "none":
      return bytes;
    case "snappy":
      return snappy(bytes);
    case "gzip":
      return size < THREAD_BYTES ? gzipSync(bytes) : threaded((done) => gzip(bytes, { chunkSize: room }, done));
    case "zstd": {
      // By default the output comes in pieces of 16 KB, each with a way to the thread and back.
      const options = { params: ZSTD_LEVEL, chunkSize: room, pledgedSrcSize: size };
      return size < THREAD_BYTES ? zstdCompressSync(bytes, options) : threaded((done) => zstdCompress(bytes, options, done));
    }
  }
}

/** More than any of the codecs makes of incompressible bytes. */
function boundOf(size: number): number {
  return size + (size >> 7) + 512;
}

type Done = (error: Error | null, result: Uint8Array) => void;

function threaded(start: (done: Done) => void): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)));
  });
}
