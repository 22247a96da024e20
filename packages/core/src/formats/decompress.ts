import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Fault, isFault } from "../domain/fault.ts";
import type { CompressionName } from "../domain/options.ts";
import type { FormatLimits } from "./format.ts";
import type { Source } from "./source.ts";

/** A ratio means nothing for small files: 64 KiB of blanks compress a thousandfold. */
const RATIO_FROM_BYTES = 64 * 2 ** 20;

/** Decoded bytes, with how many raw bytes they took so far. */
export interface DecodedChunk {
  readonly bytes: Uint8Array;
  readonly rawBytes: number;
}

/**
 * The decoded bytes of a file in chunks of at least `limits.chunkBytes` but for the last, from the start.
 * Throws `unreadable` for a broken or cut-off stream and `limit_exceeded` for a bomb.
 */
export async function* decode(
  source: Source,
  compression: CompressionName,
  limits: Pick<FormatLimits, "chunkBytes" | "decodedBytes" | "ratio">,
): AsyncGenerator<DecodedChunk> {
  if (compression === "none") {
    for (let at = 0; at < source.size;) {
      const bytes = await source.read(at, at + limits.chunkBytes);
      at += bytes.length;
      checkDecoded(at, at, limits);
      yield { bytes, rawBytes: at };
    }
    return;
  }
  if (compression !== "gzip")
    throw new Fault("unsupported_format", `${compression} compression is not yet supported`, { value: compression });
  yield* rechunk(gunzip(source, limits), limits.chunkBytes);
}

/** Most decoded bytes that are held in memory for a format which is read out of order. */
const HELD_BYTES = 256 * 2 ** 20;

/** The decoded bytes as a source that can be read out of order. Throws `limit_exceeded` where they do not fit in memory. */
export async function randomAccess(
  source: Source,
  compression: CompressionName,
  limits: Pick<FormatLimits, "chunkBytes" | "decodedBytes" | "ratio">,
): Promise<Source> {
  if (compression === "none") return source;
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const { bytes } of decode(source, compression, limits)) {
    size += bytes.length;
    if (size > HELD_BYTES) {
      throw new Fault(
        "limit_exceeded",
        `more than ${HELD_BYTES} bytes after decompression of a format that is not read from front to back (limit heldBytes): send it without ${compression}`,
        { field: "heldBytes", limit: HELD_BYTES },
      );
    }
    parts.push(bytes);
  }
  const whole = Buffer.concat(parts, size);
  return { size, read: (from, to) => Promise.resolve(whole.subarray(from, to)) };
}

async function* gunzip(source: Source, limits: Pick<FormatLimits, "chunkBytes" | "decodedBytes" | "ratio">): AsyncGenerator<DecodedChunk> {
  const unzip = createGunzip({ chunkSize: 128 * 1024 });
  const input = Readable.from(rawChunks(source, limits.chunkBytes), { objectMode: false, highWaterMark: 1 });
  input.on("error", (error) => unzip.destroy(error));
  input.pipe(unzip);
  let decoded = 0;
  try {
    for await (const bytes of unzip as AsyncIterable<Buffer>) {
      decoded += bytes.length;
      // What zlib has consumed, not what was read ahead for it: a small bomb is read whole at once.
      const rawBytes = Math.max(unzip.bytesWritten, 1);
      checkDecoded(decoded, rawBytes, limits);
      yield { bytes, rawBytes };
    }
  } catch (error) {
    if (isFault(error) || !isZlibError(error)) throw error;
    const why = error.code === "Z_BUF_ERROR" ? "the gzip stream is cut off" : `the gzip stream is broken (${error.message})`;
    throw new Fault("unreadable", `${why}, after ${decoded} decoded bytes`, { cause: error });
  } finally {
    input.destroy();
    unzip.destroy();
  }
}

async function* rawChunks(source: Source, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.size;) {
    const bytes = await source.read(at, at + size);
    at += bytes.length;
    yield bytes;
  }
}

function isZlibError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("Z_");
}

function checkDecoded(decoded: number, raw: number, limits: Pick<FormatLimits, "decodedBytes" | "ratio">): void {
  if (decoded > limits.decodedBytes) {
    throw new Fault("limit_exceeded", `more than ${limits.decodedBytes} bytes after decompression (limit decodedBytes)`, {
      field: "decodedBytes",
      limit: limits.decodedBytes,
    });
  }
  if (decoded >= RATIO_FROM_BYTES && decoded > raw * limits.ratio) {
    throw new Fault("limit_exceeded", `${raw} compressed bytes became ${decoded}, more than ${limits.ratio} times as many (limit ratio)`, {
      field: "ratio",
      value: Math.round(decoded / raw),
      limit: limits.ratio,
    });
  }
}

async function* rechunk(chunks: AsyncIterable<DecodedChunk>, size: number): AsyncGenerator<DecodedChunk> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  let rawBytes = 0;
  for await (const chunk of chunks) {
    held.push(chunk.bytes);
    bytes += chunk.bytes.length;
    rawBytes = chunk.rawBytes;
    if (bytes < size) continue;
    yield { bytes: held.length === 1 ? chunk.bytes : Buffer.concat(held, bytes), rawBytes };
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield { bytes: Buffer.concat(held, bytes), rawBytes };
}

/** The first `length` decoded bytes, or what can be decoded of them: a broken stream is told when it is read for good. */
export async function decodeHead(head: Uint8Array, length: number): Promise<Uint8Array> {
  const unzip = createGunzip();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  unzip.end(head);
  try {
    for await (const part of unzip as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= length) break;
    }
  } catch (error) {
    if (!isZlibError(error)) throw error;
  } finally {
    unzip.destroy();
  }
  return Buffer.concat(parts, bytes).subarray(0, length);
}
