import { BzipBits, BzipEnd } from "./bzip2-bits.ts";
import { BzipBlock, BzipError } from "./bzip2-block.ts";
import { bzipCrc } from "./bzip2-crc.ts";
import { BadCodes } from "./bzip2-huffman.ts";
import { ByteQueue } from "./byte-queue.ts";
import { broken, cutOff, garbageAfter, type Inflated, OUTPUT_BYTES } from "./codec.ts";

/** More than any block takes: 900,001 symbols of 20 bits, 32,767 selectors of 6, and the tables. */
const BLOCK_BYTES = 2_400_000;
/** What is read ahead until a block has turned out to be larger: those of csv seldom are, and looking at a head should not cost megabytes. */
const USUAL_BYTES = 300_000;
/** "BZh", the level. */
const HEADER_BYTES = 4;

/** bzip2 with all its streams, one after the other. Every checksum is compared. */
export async function* bunzip2(input: AsyncIterable<Uint8Array>): AsyncGenerator<Inflated> {
  const queue = new ByteQueue(input);
  const state = { decoded: 0 };
  try {
    for (;;) {
      const head = await queue.fill(HEADER_BYTES);
      if (head.length === 0 && queue.taken > 0) return;
      const level = streamLevel(head);
      if (level === null && queue.taken > 0) throw garbageAfter("bzip2", queue.taken);
      if (level === null) throw head.length < HEADER_BYTES ? cutOff("bzip2", 0) : broken("bzip2", "it has no bzip2 header", 0);
      queue.take(HEADER_BYTES);
      yield* decodeStream(queue, level, state);
    }
  } catch (error) {
    if (error instanceof BzipEnd) throw cutOff("bzip2", state.decoded, error);
    if (error instanceof BzipError || error instanceof BadCodes) throw broken("bzip2", error.message, state.decoded, error);
    throw error;
  } finally {
    await queue.close();
  }
}

function streamLevel(head: Uint8Array): number | null {
  const [b, z, h, level = 0] = head;
  return b === 0x42 && z === 0x5a && h === 0x68 && level >= 0x31 && level <= 0x39 ? level - 0x30 : null;
}

async function* decodeStream(queue: ByteQueue, level: number, state: { decoded: number }): AsyncGenerator<Inflated> {
  const bits = new BzipBits();
  let block: BzipBlock | null = null;
  // Not for a stream without blocks, of which a small file may have a million.
  const memory = () => (block ??= new BzipBlock(level));
  let streamCrc = 0;
  let ahead = USUAL_BYTES;
  for (;;) {
    bits.moveTo(await queue.fill(ahead));
    const start = bits.mark();
    let crc: number | null;
    try {
      crc = readBlock(bits, memory, streamCrc);
    } catch (error) {
      if (!(error instanceof BzipEnd) || ahead >= BLOCK_BYTES) throw error;
      // Once more with as much as any block takes; where there is no more, it ends in the same way.
      ahead = BLOCK_BYTES;
      bits.reset(start);
      continue;
    }
    ahead = Math.min(Math.max(USUAL_BYTES, bits.used * 2), BLOCK_BYTES);
    queue.take(bits.used);
    if (crc === null) return;
    yield* writeBlock(memory(), crc, queue, state);
    streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ crc) >>> 0;
  }
}

/** Reads the next block and returns its checksum, or null at the stream's end, whose checksum must agree. */
function readBlock(bits: BzipBits, memory: () => BzipBlock, streamCrc: number): number | null {
  const magic = bits.take(24) * 2 ** 24 + bits.take(24);
  const crc = bits.takeWord();
  if (magic === 0x177245385090) {
    bits.align();
    if (crc !== streamCrc) throw new BzipError("the checksum of the stream does not agree");
    return null;
  }
  if (magic !== 0x314159265359) throw new BzipError("neither a block nor an end where one must be");
  memory().read(bits);
  return crc;
}

async function* writeBlock(block: BzipBlock, crc: number, queue: ByteQueue, state: { decoded: number }): AsyncGenerator<Inflated> {
  let running = -1;
  for (;;) {
    const out = new Uint8Array(OUTPUT_BYTES);
    const length = block.write(out);
    running = bzipCrc(running, out, length);
    state.decoded += length;
    if (length > 0) yield { bytes: length === out.length ? out : out.subarray(0, length), consumed: queue.taken };
    if (length < out.length) break;
  }
  if (~running >>> 0 !== crc) throw new BzipError("the checksum of a block does not agree");
}
