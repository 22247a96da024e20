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
 * the promise settles.
 */
export function compress(codec: Codec, bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  const size = bytes.length;
  switch (codec) {
    case "none":
      return bytes;
    case "snappy":
      return snappy(bytes);
    case "gzip":
      return size < THREAD_BYTES ? gzipSync(bytes) : threaded((done) => gzip(bytes, { chunkSize: boundOf(size) }, done));
    case "zstd": {
      // Room for all of the output at once: by default it comes in pieces of 16 KB, each with a way to the thread and back.
      const options = { params: ZSTD_LEVEL, chunkSize: boundOf(size), pledgedSrcSize: size };
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
