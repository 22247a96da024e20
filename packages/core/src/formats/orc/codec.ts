import { constants, inflateRawSync, zstdDecompressSync } from "node:zlib";
import { damaged } from "./damage.ts";
import type { OrcCompression } from "./footer.ts";
import { decodeLz4 } from "./lz4.ts";
import { decodeLzo } from "./lzo.ts";
import { decodeSnappy } from "./snappy.ts";

/** One compressed chunk -> its bytes, at most `limit` of them. Throws `unreadable` where it is broken or holds more. */
export type Decompress = (chunk: Uint8Array, limit: number) => Uint8Array;

/** null for files that are not compressed. */
export function decompressorFor(compression: OrcCompression): Decompress | null {
  switch (compression) {
    case "none":
      return null;
    case "zlib":
      return inflate;
    case "snappy":
      return decodeSnappy;
    case "lzo":
      return decodeLzo;
    case "lz4":
      return decodeLz4;
    case "zstd":
      return zstd;
  }
}

/** ORC's zlib is bare deflate, without zlib's head and checksum. */
const inflate: Decompress = (chunk, limit) =>
  orDamaged("zlib", () => inflateRawSync(chunk, { maxOutputLength: limit, chunkSize: pieceOf(chunk, limit) }));

/** A window larger than the block would only serve to take memory. */
const zstd: Decompress = (chunk, limit) =>
  orDamaged("zstd", () =>
    zstdDecompressSync(chunk, {
      maxOutputLength: limit,
      chunkSize: pieceOf(chunk, limit),
      params: { [constants.ZSTD_d_windowLogMax]: 27 },
    }),
  );

/** How much node:zlib takes at a time for what comes out: for a chunk of a few bytes not 64 KiB at once. */
function pieceOf(chunk: Uint8Array, limit: number): number {
  return Math.max(64, Math.min(limit, 64 * 1024, chunk.length * 8));
}

function orDamaged(codec: string, decode: () => Uint8Array): Uint8Array {
  try {
    return decode();
  } catch (error) {
    throw damaged(`a ${codec} chunk is broken (${error instanceof Error ? error.message : String(error)})`);
  }
}
