import type { FormatLimits } from "../format.ts";
import type { Source } from "../source.ts";
import { Fault } from "../../domain/fault.ts";
import { decompressorFor, type Decompress } from "./codec.ts";
import { damaged } from "./damage.ts";
import type { Postscript } from "./footer.ts";

/** A ratio means nothing for little output. */
const RATIO_FROM_BYTES = 64 * 2 ** 20;

/** How the bytes of one file are compressed, and how many have been decoded so far. */
export class Compression {
  readonly blockSize: number;
  readonly decompress: Decompress | null;
  readonly #limits: Pick<FormatLimits, "decodedBytes" | "ratio">;
  #raw = 0;
  #decoded = 0;

  constructor({ compression, blockSize }: Postscript, limits: Pick<FormatLimits, "decodedBytes" | "ratio">) {
    this.blockSize = blockSize;
    this.decompress = decompressorFor(compression);
    this.#limits = limits;
  }

  /** Most bytes that so many bytes of a stream can hold: a chunk has a header and at least one byte. */
  most(length: number): number {
    return this.decompress === null ? length : Math.ceil(length / 4) * this.blockSize;
  }

  /** Counts a chunk. Throws `limit_exceeded` for a bomb. */
  count(raw: number, decoded: number): void {
    this.#raw += raw;
    this.#decoded += decoded;
    const { decodedBytes, ratio } = this.#limits;
    if (this.#decoded > decodedBytes) {
      throw new Fault("limit_exceeded", `more than ${decodedBytes} bytes after decompression (limit decodedBytes)`, {
        field: "decodedBytes",
        limit: decodedBytes,
      });
    }
    if (this.#decoded >= RATIO_FROM_BYTES && this.#decoded > this.#raw * ratio) {
      throw new Fault(
        "limit_exceeded",
        `${this.#raw} compressed bytes became ${this.#decoded}, more than ${ratio} times as many (limit ratio)`,
        { field: "ratio", value: Math.round(this.#decoded / this.#raw), limit: ratio },
      );
    }
  }
}

/** How much of an uncompressed stream is read at a time, and of a compressed one at least. */
const READ_BYTES = 256 * 1024;

/**
 * The bytes of a stream from front to back. Compressed, it is a row of chunks, each behind a header of three bytes,
 * little-endian: twice its length, plus 1 where the chunk is stored as it is (ORC specification, "Compression").
 */
export class Chunks {
  readonly #source: Source;
  readonly #compression: Compression;
  /** Where the next read begins, and where the stream ends, in the file. */
  #next: number;
  readonly #end: number;
  /** Bytes that were read and not yet decoded: from #at to the end. */
  #held: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(source: Source, compression: Compression, from: number, length: number) {
    this.#source = source;
    this.#compression = compression;
    this.#next = from;
    this.#end = from + length;
  }

  get done(): boolean {
    return this.#next === this.#end && this.#at === this.#held.length;
  }

  /** The next decoded bytes, at most a block. Not to be asked for when done. */
  async next(): Promise<Uint8Array> {
    const { decompress, blockSize } = this.#compression;
    if (decompress === null) {
      const bytes = await this.#take(Math.min(READ_BYTES, this.#left()));
      this.#compression.count(bytes.length, bytes.length);
      return bytes;
    }
    const head = await this.#take(3);
    const header = (head[0] ?? 0) | ((head[1] ?? 0) << 8) | ((head[2] ?? 0) << 16);
    const length = header >> 1;
    if (length > blockSize) throw damaged(`a chunk of ${length} bytes is larger than the block size of ${blockSize}`);
    const chunk = await this.#take(length);
    const decoded = header & 1 ? chunk : decompress(chunk, blockSize);
    this.#compression.count(length + 3, decoded.length);
    return decoded;
  }

  /** Most bytes that may still come. */
  get most(): number {
    return this.#compression.most(this.#left());
  }

  #left(): number {
    return this.#end - this.#next + this.#held.length - this.#at;
  }

  async #take(length: number): Promise<Uint8Array> {
    if (this.#held.length - this.#at < length) await this.#read(length);
    const from = this.#at;
    this.#at += length;
    return this.#held.subarray(from, this.#at);
  }

  async #read(length: number): Promise<void> {
    if (length > this.#left()) throw damaged(`a stream ends at ${this.#end}, inside a chunk`);
    const rest = this.#held.subarray(this.#at);
    const to = Math.min(this.#end, this.#next + Math.max(length - rest.length, READ_BYTES));
    const more = await this.#source.read(this.#next, to);
    if (more.length !== to - this.#next) throw damaged(`it ends at byte ${this.#source.size}, inside a stream`);
    this.#next = to;
    this.#held = rest.length === 0 ? more : Buffer.concat([rest, more]);
    this.#at = 0;
  }
}

/** All decoded bytes of a part of the file, at most `limit` of them: footers. */
export async function readAll(source: Source, compression: Compression, from: number, length: number, limit: number): Promise<Uint8Array> {
  const chunks = new Chunks(source, compression, from, length);
  const parts: Uint8Array[] = [];
  let size = 0;
  while (!chunks.done) {
    const part = await chunks.next();
    size += part.length;
    if (size > limit) {
      throw new Fault("limit_exceeded", `an ORC footer takes more than ${limit} bytes (limit footer)`, {
        field: "footer",
        value: size,
        limit,
      });
    }
    parts.push(part);
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, size);
}
