import { createZstdDecompress, zstdDecompressSync } from "node:zlib";
import { Fault, isFault } from "../../domain/fault.ts";
import { ByteQueue } from "./byte-queue.ts";
import { broken, cutOff, garbageAfter, type Inflated, OUTPUT_BYTES } from "./codec.ts";
import { isZlibError, throughDecoder } from "./node-stream.ts";
import { ZSTD_BLOCK_HEADER_BYTES, ZSTD_HEADER_BYTES, ZSTD_MAGIC, zstdBlock, zstdHeader } from "./zstd-frame.ts";

/** Most window of a frame: what the zstd tool takes unless told otherwise, and what its strongest level asks for. */
export const MAX_ZSTD_WINDOW = 128 * 2 ** 20;
/** A frame that lies ready and is no longer than this is decoded at once: a stream a frame costs 130 us, a call 25. */
const SMALL_FRAME = 64 * 1024;
const SMALL_OUTPUT = 4 * 2 ** 20;

/** Zstandard with all its frames, skippable ones among them (RFC 8878). */
export async function* unzstd(input: AsyncIterable<Uint8Array>): AsyncGenerator<Inflated> {
  const queue = new ByteQueue(input);
  const state = { decoded: 0 };
  try {
    for (;;) {
      const head = await queue.fill(ZSTD_HEADER_BYTES);
      if (head.length === 0) return;
      if (head.length < 4) throw queue.taken === 0 ? cutOff("zstd", 0) : garbageAfter("zstd", queue.taken);
      const magic = (head[0] ?? 0) + (head[1] ?? 0) * 2 ** 8 + (head[2] ?? 0) * 2 ** 16 + (head[3] ?? 0) * 2 ** 24;
      if (magic === ZSTD_MAGIC) yield* decodeFrame(queue, head, state);
      else if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) await skipFrame(queue, head, state.decoded);
      else if (queue.taken > 0) throw garbageAfter("zstd", queue.taken);
      else throw broken("zstd", "it does not begin with a frame", 0);
    }
  } finally {
    await queue.close();
  }
}

async function skipFrame(queue: ByteQueue, head: Uint8Array, decoded: number): Promise<void> {
  if (head.length < 8) throw cutOff("zstd", decoded);
  let left = 8 + Buffer.from(head.buffer, head.byteOffset, 8).readUInt32LE(4);
  while (left > 0) {
    const ready = await queue.fill(1);
    if (ready.length === 0) throw cutOff("zstd", decoded);
    left -= queue.take(left).length;
  }
}

async function* decodeFrame(queue: ByteQueue, head: Uint8Array, state: { decoded: number }): AsyncGenerator<Inflated> {
  const header = zstdHeader(head);
  if (header === null) throw cutOff("zstd", state.decoded);
  checkWindow(header.windowBytes);
  const small = smallFrame(queue.ready, header.bytes, header.checksum);
  if (small > 0) {
    const bytes = decodeSmall(queue.ready.subarray(0, small), state.decoded);
    if (bytes !== null) {
      queue.take(small);
      state.decoded += bytes.length;
      yield { bytes, consumed: queue.taken };
      return;
    }
  }
  const before = queue.taken;
  const frame = frameBytes(queue, header.bytes, header.checksum, () => state.decoded);
  const decoder = createZstdDecompress({ chunkSize: OUTPUT_BYTES });
  try {
    for await (const { bytes, consumed } of throughDecoder(decoder, frame)) {
      state.decoded += bytes.length;
      yield { bytes, consumed: before + consumed };
    }
  } catch (error) {
    if (isFault(error) || !isZlibError(error)) throw error;
    throw error.code === "Z_BUF_ERROR" ? cutOff("zstd", state.decoded, error) : broken("zstd", error.message, state.decoded, error);
  }
}

function checkWindow(bytes: number): void {
  if (bytes <= MAX_ZSTD_WINDOW) return;
  throw new Fault(
    "limit_exceeded",
    `a zstd frame needs a window of ${bytes} bytes, at most ${MAX_ZSTD_WINDOW} are allowed (limit zstdWindow, fixed): compress it without --long or --ultra`,
    { field: "zstdWindow", value: bytes, limit: MAX_ZSTD_WINDOW },
  );
}

/** The length of a frame that lies ready as a whole and is small, else 0. */
function smallFrame(bytes: Uint8Array, headerBytes: number, checksum: boolean): number {
  const end = Math.min(bytes.length, SMALL_FRAME);
  for (let at = headerBytes; at + ZSTD_BLOCK_HEADER_BYTES <= end;) {
    const block = zstdBlock(bytes, at);
    if (block === null) return 0;
    at += ZSTD_BLOCK_HEADER_BYTES + block.bytes;
    if (!block.last) continue;
    const length = at + (checksum ? 4 : 0);
    return length <= end ? length : 0;
  }
  return 0;
}

/** Null where it becomes too much to hold at once. */
function decodeSmall(frame: Uint8Array, decoded: number): Uint8Array | null {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: SMALL_OUTPUT });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE") return null;
    if (!isZlibError(error)) throw error;
    throw broken("zstd", error.message, decoded, error);
  }
}

/** The bytes of exactly one frame. */
async function* frameBytes(queue: ByteQueue, headerBytes: number, checksum: boolean, decoded: () => number): AsyncGenerator<Uint8Array> {
  yield* exactly(queue, headerBytes, decoded);
  for (let last = false; !last;) {
    const ready = await queue.fill(ZSTD_BLOCK_HEADER_BYTES);
    if (ready.length < ZSTD_BLOCK_HEADER_BYTES) throw cutOff("zstd", decoded());
    const block = zstdBlock(ready, 0);
    if (block === null) throw broken("zstd", "a block of the reserved type", decoded());
    last = block.last;
    yield* exactly(queue, ZSTD_BLOCK_HEADER_BYTES + block.bytes + (last && checksum ? 4 : 0), decoded);
  }
}

async function* exactly(queue: ByteQueue, count: number, decoded: () => number): AsyncGenerator<Uint8Array> {
  for (let left = count; left > 0;) {
    if ((await queue.fill(1)).length === 0) throw cutOff("zstd", decoded());
    const bytes = queue.take(left);
    left -= bytes.length;
    yield bytes;
  }
}
