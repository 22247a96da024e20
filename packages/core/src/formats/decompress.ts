import { Fault, isFault } from "../domain/fault.ts";
import type { CompressionName } from "../domain/options.ts";
import { bunzip2 } from "./codecs/bzip2.ts";
import type { Codec, Inflated } from "./codecs/codec.ts";
import { gunzip } from "./codecs/gzip.ts";
import { unxz } from "./codecs/xz.ts";
import { unzstd } from "./codecs/zstd.ts";
import { DecodeBudget, RATIO_FROM_BYTES } from "./decode-budget.ts";
import type { FormatLimits } from "./format.ts";
import type { Source } from "./source.ts";

/** Decoded bytes, with how many raw bytes they took so far. */
export interface DecodedChunk {
  readonly bytes: Uint8Array;
  readonly rawBytes: number;
  /** May be called, once, when nobody looks at `bytes` any more. */
  readonly done?: () => void;
}

export type DecodeLimits = Pick<FormatLimits, "chunkBytes" | "decodedBytes" | "ratio" | "heldBytes">;

/** Compressions that are a stream of bytes; a zip is a container (`zip-file.ts`). */
export type StreamCompression = Exclude<CompressionName, "zip">;

const CODECS: Readonly<Record<Exclude<StreamCompression, "none">, Codec>> = { gzip: gunzip, bz2: bunzip2, xz: unxz, zstd: unzstd };

/**
 * The decoded bytes of a file in chunks of at least `limits.chunkBytes` but for the last, from the start.
 * Throws `unreadable` for a broken or cut-off stream and `limit_exceeded` for a bomb.
 */
export async function* decode(
  source: Source,
  compression: StreamCompression,
  limits: DecodeLimits,
  budget = new DecodeBudget(limits),
): AsyncGenerator<DecodedChunk> {
  if (compression === "none") {
    // The next chunk is on its way while this one is worked on.
    const ask = (from: number) => {
      const bytes = source.read(from, from + limits.chunkBytes);
      bytes.catch(() => undefined);
      return bytes;
    };
    for (let at = 0, next = ask(0); at < source.size;) {
      const bytes = await next;
      at += bytes.length;
      budget.spend(source, at, at);
      if (at < source.size) next = ask(at);
      yield { bytes, rawBytes: at, done: () => source.recycle?.(bytes) };
    }
    return;
  }
  const inflated = CODECS[compression](rawChunks(source, limits.chunkBytes));
  yield* rechunk(
    within(source, inflated, (part) => part.consumed, budget),
    limits.chunkBytes,
  );
}

/** Decodes what lies beneath another compression: `outer` are the decoded chunks of that one, `part` what the budget knows them by. */
export async function* decodeBeneath(
  part: object,
  outer: AsyncIterable<DecodedChunk>,
  compression: StreamCompression,
  limits: DecodeLimits,
  budget: DecodeBudget,
): AsyncGenerator<DecodedChunk> {
  if (compression === "none") {
    yield* outer;
    return;
  }
  let rawBytes = 0;
  const bytes = async function* () {
    for await (const chunk of outer) {
      rawBytes = chunk.rawBytes;
      yield chunk.bytes;
    }
  };
  // The raw bytes were counted above; what comes out here comes out of the same ones.
  const chunks = within(part, CODECS[compression](bytes()), () => 0, budget);
  const placed = async function* () {
    for await (const chunk of chunks) yield { bytes: chunk.bytes, rawBytes };
  };
  yield* rechunk(placed(), limits.chunkBytes);
}

/** Counts what a codec gives in its small steps, so that a bomb is stopped while its codec still holds the rest. */
export async function* within(
  part: object,
  inflated: AsyncIterable<Inflated>,
  rawOf: (inflated: Inflated) => number,
  budget: DecodeBudget,
): AsyncGenerator<DecodedChunk> {
  let decoded = 0;
  for await (const step of inflated) {
    decoded += step.bytes.length;
    const rawBytes = rawOf(step);
    budget.spend(part, decoded, rawBytes);
    yield { bytes: step.bytes, rawBytes };
  }
}

/** What decodes to more than this share of the allowed ratio from its very start is looked at before it is parsed. */
const SUSPECT_SHARE = 0.25;
/** Before so much is decoded a small file looks harmless: all of its bytes may have been used up by the first step. */
const LOOKED_AT_BYTES = 2 * 2 ** 20;

/**
 * Refuses a file that is a bomb from its start at the speed of its codec instead of its parser's: 64 MiB of blank lines take
 * gzip 0.2 s. Anything else costs its first 2 MiB once more. Throws what `decode` throws.
 */
export async function refuseBomb(decoded: AsyncIterable<DecodedChunk>, limits: DecodeLimits, rawBefore = 0): Promise<void> {
  let bytes = 0;
  for await (const chunk of decoded) {
    bytes += chunk.bytes.length;
    if (bytes < LOOKED_AT_BYTES) continue;
    if (bytes < (chunk.rawBytes - rawBefore) * limits.ratio * SUSPECT_SHARE || bytes > RATIO_FROM_BYTES) return;
  }
}

/** The decoded bytes as a source that can be read out of order. Throws `limit_exceeded` where they do not fit in memory. */
export async function randomAccess(source: Source, compression: StreamCompression, limits: DecodeLimits): Promise<Source> {
  return compression === "none" ? source : await held(decode(source, compression, limits), compression, limits);
}

/** Decoded chunks, all of them in memory. Throws `limit_exceeded` (limit heldBytes) where they are more than that. */
export async function held(chunks: AsyncIterable<DecodedChunk>, compression: CompressionName, limits: DecodeLimits): Promise<Source> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const { bytes } of chunks) {
    size += bytes.length;
    if (size > limits.heldBytes) {
      throw new Fault(
        "limit_exceeded",
        `more than ${limits.heldBytes} bytes after decompression of a format that is not read from front to back (limit heldBytes): send it without ${compression}`,
        { field: "heldBytes", limit: limits.heldBytes },
      );
    }
    parts.push(bytes);
  }
  const whole = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, size);
  return { size, read: (from, to) => Promise.resolve(whole.subarray(from, to)) };
}

/** The bytes of a source in chunks. */
export async function* rawChunks(source: Source, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.size;) {
    const bytes = await source.read(at, at + size);
    at += bytes.length;
    yield bytes;
  }
}

/** Chunks joined to at least `size` bytes each, but for the last. */
export async function* rechunk(chunks: AsyncIterable<DecodedChunk>, size: number): AsyncGenerator<DecodedChunk> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let rawBytes = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk.bytes);
    bytes += chunk.bytes.length;
    rawBytes = chunk.rawBytes;
    if (bytes < size) continue;
    yield { bytes: waiting.length === 1 ? chunk.bytes : Buffer.concat(waiting, bytes), rawBytes };
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield { bytes: Buffer.concat(waiting, bytes), rawBytes };
}

/** The first `length` bytes of chunks, or what can be decoded of them: a broken stream is told when it is read for good. */
export async function headOf(chunks: AsyncIterable<{ readonly bytes: Uint8Array }>, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of chunks) {
      parts.push(part.bytes);
      bytes += part.bytes.length;
      if (bytes >= length) break;
    }
  } catch (error) {
    if (!isFault(error) || error.blame !== "content") throw error;
  }
  return Buffer.concat(parts, bytes).subarray(0, length);
}

/** How much is read at a time to find out what lies beneath a compression. */
const HEAD_CHUNK = 64 * 1024;

/** The first `length` decoded bytes of a file, as `headOf` has them. */
export function decodeHead(source: Source, compression: Exclude<StreamCompression, "none">, length: number): Promise<Uint8Array> {
  return headOf(CODECS[compression](rawChunks(source, HEAD_CHUNK)), length);
}
