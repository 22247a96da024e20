import { constants, gzip, gzipSync, zstdCompress, zstdCompressSync } from "node:zlib";
import { snappy } from "./snappy.ts";

/** How pages are compressed. */
export type Codec = "zstd" | "snappy" | "gzip" | "none";

/** CompressionCodec of parquet.thrift. */
export const CODEC_IDS: Readonly<Record<Codec, number>> = { none: 0, snappy: 1, gzip: 2, zstd: 6 };

/** Smaller pages are compressed at once: handing one to another thread and hearing back costs about 0.1 ms. */
const THREAD_BYTES = 32 * 1024;

/**
 * Texts at ZSTD's level 3. Ids and numbers were packed before they come here: at level 1 whole conversions are 10 % faster, and
 * a file of taxi trips becomes 6 % larger, one of 200 short columns 1 % smaller.
 */
const ZSTD_TEXT = { [constants.ZSTD_c_compressionLevel]: 3 };
const ZSTD_PACKED = { [constants.ZSTD_c_compressionLevel]: 1 };

/** On one core another thread takes from this one what it does: waiting for it made conversions 10 to 20 % slower. */
const ONE_CORE = navigator.hardwareConcurrency === 1;

/**
 * A page's bytes compressed: a large page on one of libuv's threads where there is a core for it, a small one at once. The
 * input must stay as it is until the promise settles. `ratio` is about what share of its length it will have: more costs a
 * second way to the thread, less memory.
 */
export function compress(codec: Codec, bytes: Uint8Array, ratio: number, isText: boolean): Uint8Array | Promise<Uint8Array> {
  const size = bytes.length;
  const room = size < THREAD_BYTES ? boundOf(size) : Math.min(boundOf(size), Math.ceil(size * ratio * 1.1) + 4_096);
  const atOnce = ONE_CORE || size < THREAD_BYTES;
  switch (codec) {
    case "none":
      return bytes;
    case "snappy":
      return snappy(bytes);
    case "gzip":
      return atOnce ? gzipSync(bytes) : threaded((done) => gzip(bytes, { chunkSize: room }, done));
    case "zstd": {
      // By default the output comes in pieces of 16 KB, each with a way to the thread and back.
      const options = { params: isText ? ZSTD_TEXT : ZSTD_PACKED, chunkSize: room, pledgedSrcSize: size };
      return atOnce ? zstdCompressSync(bytes, options) : threaded((done) => zstdCompress(bytes, options, done));
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
