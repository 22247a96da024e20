import type { DecodedChunk } from "../decompress.ts";
import type { FormatLimits } from "../format.ts";
import type { Source } from "../source.ts";
import { type Message, readMessage } from "./message.ts";
import type { LazyBody } from "./read-window.ts";
import { beyond, unreadable } from "./refuse.ts";

/** Ahead of a metadata length since version 0.15 of Arrow. */
export const CONTINUATION = 0xffffffff;

const HELD_WHOLE = 32 * 2 ** 20;

/** Bodies beyond this are read a window at a time. */
export function heldWhole({ heldBytes }: FrameLimits): number {
  return Math.min(HELD_WHOLE, heldBytes);
}

export type FrameLimits = Pick<FormatLimits, "columns" | "heldBytes" | "footerBytes">;

/** A message, its body, and the raw bytes of the file that were read to its end. */
export interface Framed {
  readonly message: Message;
  /** Bodies beyond `heldWhole` are left where they lie, if they can be read there. */
  readonly body: Uint8Array | LazyBody;
  readonly rawBytes: number;
}

/**
 * The messages of an Arrow stream: [0xffffffff][metadata length i32][metadata][body], before 0.15 without the first four
 * bytes, up to a length of 0 or the end. Anything but zeros behind that end is refused: it would be lost without a word.
 */
export async function* framedMessages(
  chunks: AsyncIterable<DecodedChunk>,
  random: () => Promise<Source>,
  limits: FrameLimits,
): AsyncGenerator<Framed> {
  const queue = new ByteQueue(chunks);
  try {
    for (;;) {
      const length = await metadataLength(queue, limits);
      if (length === 0) break;
      const message = readMessage(await queue.exactly(length, "metadata"), limits.columns);
      if (message.bodyBytes > heldWhole(limits) && queue.plain) {
        const body = { source: await random(), at: queue.position, bytes: message.bodyBytes };
        if (body.bytes > body.source.size - body.at)
          unreadable(`it is cut off: ${body.source.size - body.at} of ${body.bytes} bytes of a body`);
        yield { message, body, rawBytes: queue.rawBytes };
        await queue.pass(message.bodyBytes);
      } else {
        checkBody(message.bodyBytes, limits);
        const body = await queue.exactly(message.bodyBytes, "a body");
        yield { message, body, rawBytes: queue.rawBytes };
      }
    }
    for (let rest = await queue.upTo(4_096); rest.length > 0; rest = await queue.upTo(4_096)) {
      if (rest.some((byte) => byte !== 0)) unreadable("more bytes follow the end of its stream");
    }
  } finally {
    await queue.close();
  }
}

/** The body in memory. */
export async function heldBody(body: Uint8Array | LazyBody, limits: FrameLimits): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  checkBody(body.bytes, limits);
  return new Uint8Array(await body.source.read(body.at, body.at + body.bytes));
}

/** A body is held in memory whole. */
export function checkBody(bytes: number, { heldBytes }: FrameLimits): void {
  if (bytes <= heldBytes) return;
  beyond(
    "heldBytes",
    `a record batch takes ${bytes} bytes, at most ${heldBytes} are held in memory: write smaller batches`,
    bytes,
    heldBytes,
  );
}

async function metadataLength(queue: ByteQueue, limits: FrameLimits): Promise<number> {
  const first = await queue.upTo(4);
  if (first.length === 0) return 0;
  if (first.length < 4) return unreadable("it is cut off");
  const word = uint32(first);
  const length = word === CONTINUATION ? uint32(await queue.exactly(4, "a length")) : word;
  checkMetadata(length, limits);
  return length;
}

/** A schema of 16,384 columns takes some megabytes. */
export function checkMetadata(length: number, { footerBytes }: FrameLimits): void {
  if (length <= footerBytes) return;
  if (length > 0x7fffffff) unreadable(`metadata of ${length} bytes`);
  beyond("footerBytes", `metadata of ${length} bytes, at most ${footerBytes} are read`, length, footerBytes);
}

export function uint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

/** Bytes in order, held only until they are asked for: a length that is claimed takes no memory before its bytes have come. */
class ByteQueue {
  rawBytes = 0;
  /** How many bytes were taken. */
  position = 0;
  readonly #chunks: AsyncIterator<DecodedChunk>;
  #held: Uint8Array[] = [];
  #bytes = 0;

  constructor(chunks: AsyncIterable<DecodedChunk>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async exactly(length: number, what: string): Promise<Uint8Array> {
    const bytes = await this.upTo(length);
    return bytes.length === length ? bytes : unreadable(`it is cut off: ${bytes.length} of ${length} bytes of ${what}`);
  }

  /** `length` bytes in memory of their own, fewer at the end. */
  async upTo(length: number): Promise<Uint8Array> {
    while (this.#bytes < length) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      this.#held.push(next.value.bytes);
      this.#bytes += next.value.bytes.length;
      this.rawBytes = next.value.rawBytes;
    }
    const out = new Uint8Array(Math.min(length, this.#bytes));
    let at = 0;
    let used = 0;
    for (let chunk = this.#held[0]; chunk && at < out.length; chunk = this.#held[used]) {
      const part = chunk.subarray(0, out.length - at);
      out.set(part, at);
      at += part.length;
      if (part.length === chunk.length) used++;
      else this.#held[used] = chunk.subarray(part.length);
    }
    this.#held.splice(0, used);
    this.#bytes -= out.length;
    this.position += out.length;
    return out;
  }

  /** Whether what comes is the file as it lies, not decompressed. */
  get plain(): boolean {
    return this.position + this.#bytes === this.rawBytes;
  }

  /** Leaves bytes out. */
  async pass(length: number): Promise<void> {
    for (let left = length; left > 0;) {
      const bytes = await this.upTo(Math.min(left, 2 ** 20));
      if (bytes.length === 0) unreadable("it is cut off");
      left -= bytes.length;
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
