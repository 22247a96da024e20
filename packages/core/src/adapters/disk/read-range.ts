import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { Fault } from "../../domain/fault.ts";
import { diskFault } from "./disk-fault.ts";

const BLOCK_BYTES = 1 << 20;

/**
 * The file's bytes in blocks of 1 MiB. A range of at most one block is read here and the file closed before it is handed
 * over; a longer one keeps the file open until its reader ends or stops. System errors from opening are thrown raw.
 */
export async function readRange(
  path: string,
  range: { readonly start: number; readonly end?: number },
): Promise<AsyncIterable<Uint8Array>> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw Object.assign(new Error("not a file"), { code: "ENOENT", syscall: "open" });
    const end = Math.min(range.end ?? stats.size, stats.size);
    if (end - range.start > BLOCK_BYTES) return new Blocks(handle, range.start, end);
    const only = end > range.start ? [await readFull(handle, range.start, end)] : [];
    await handle.close();
    return fromArray(only);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function* fromArray(blocks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* blocks;
}

/**
 * A hand-written iterator, as return() of an async generator that was never started runs no `finally`: a response whose
 * client left before the first byte would keep the file open. One block is read ahead.
 */
class Blocks implements AsyncIterableIterator<Uint8Array> {
  readonly #handle: FileHandle;
  readonly #end: number;
  #at: number;
  #ahead: Promise<Uint8Array> | null = null;
  #closed = false;

  constructor(handle: FileHandle, start: number, end: number) {
    this.#handle = handle;
    this.#at = start;
    this.#end = end;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const block = this.#closed ? null : (this.#ahead ?? this.#read());
    if (block === null) return this.return();
    this.#ahead = this.#read();
    try {
      return { done: false, value: await block };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#closed) {
      this.#closed = true;
      await this.#ahead?.catch(() => undefined);
      await this.#handle.close();
    }
    return { done: true, value: undefined };
  }

  #read(): Promise<Uint8Array> | null {
    if (this.#at >= this.#end) return null;
    const start = this.#at;
    this.#at = Math.min(start + BLOCK_BYTES, this.#end);
    const reading = readFull(this.#handle, start, this.#at);
    reading.catch(() => undefined); // Read ahead: seen by the next next(), or by nobody when the reader stops.
    return reading;
  }
}

async function readFull(handle: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const block = Buffer.allocUnsafeSlow(end - start);
  let filled = 0;
  while (filled < block.length) {
    const { bytesRead } = await handle.read(block, filled, block.length - filled, start + filled).catch((error: unknown) => {
      throw diskFault(error, "read an object");
    });
    if (bytesRead === 0) throw new Fault("store_unavailable", `an object ended at byte ${start + filled}, ${end} were expected`);
    filled += bytesRead;
  }
  return block;
}
