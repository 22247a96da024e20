import { checkBytes, DecodeBudget } from "../decode-budget.ts";
import type { FormatLimits } from "../format.ts";
import type { Source } from "../source.ts";
import { Fault } from "../../domain/fault.ts";
import { decompressorFor, type Decompress } from "./codec.ts";
import { beyond, damaged } from "./damage.ts";
import type { Postscript } from "./footer.ts";

/**
 * Runs of equal values make much of few bytes: rows may take this many times as much as decompression alone may make. A table
 * of every combination of nine attributes, 1.9 million rows in 46 KB, takes three times as much.
 */
const RUNS = 20;
/** As for decompression: below it a ratio says nothing. */
const RATIO_FROM_BYTES = 64 * 2 ** 20;

/** How the bytes of one file are compressed, and how many have been decoded so far in one pass over it. */
export class Compression {
  readonly blockSize: number;
  readonly decompress: Decompress | null;
  readonly #postscript: Postscript;
  readonly #limits: FormatLimits;
  readonly #budget: DecodeBudget;
  #raw = 0;
  #decoded = 0;
  #rows = 0;

  constructor(postscript: Postscript, limits: FormatLimits) {
    this.blockSize = postscript.blockSize;
    this.decompress = decompressorFor(postscript.compression);
    this.#postscript = postscript;
    this.#limits = limits;
    this.#budget = new DecodeBudget(limits);
  }

  get heldBytes(): number {
    return this.#limits.heldBytes;
  }

  /** The same for another pass, which counts anew. */
  again(): Compression {
    return new Compression(this.#postscript, this.#limits);
  }

  /** Most bytes that so many bytes of a stream can hold: a chunk has a header and at least one byte. */
  most(length: number): number {
    return this.decompress === null ? length : Math.ceil(length / 4) * this.blockSize;
  }

  /** Counts a chunk. Throws `limit_exceeded` for a bomb. */
  count(raw: number, decoded: number): void {
    this.#raw += raw;
    this.#decoded += decoded;
    this.#budget.spend(this, this.#decoded, this.#raw);
  }

  /** Counts the memory of decoded rows. Throws `limit_exceeded` for a bomb. */
  countRows(bytes: number): void {
    this.#rows += bytes;
    const { decodedBytes, ratio } = this.#limits;
    checkBytes(this.#rows, decodedBytes);
    if (this.#rows < RATIO_FROM_BYTES || this.#rows <= this.#raw * ratio * RUNS) return;
    const times = Math.round(this.#rows / Math.max(this.#raw, 1));
    throw new Fault(
      "limit_exceeded",
      `${this.#raw} bytes became ${this.#rows} bytes of rows, more than ${ratio * RUNS} times as many (${RUNS} times limit ratio; SLUICE_MAX_RATIO raises it)`,
      { field: "ratio", value: times, limit: ratio * RUNS },
    );
  }
}

/** Where a stream lies in the file, and how much of it is read at a time at least. */
export interface ChunkSpan {
  readonly from: number;
  readonly length: number;
  readonly readBytes: number;
}

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
  readonly #readBytes: number;
  /** Bytes that were read and not yet decoded: from #at to the end. */
  #held: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(source: Source, compression: Compression, { from, length, readBytes }: ChunkSpan) {
    this.#source = source;
    this.#compression = compression;
    this.#readBytes = readBytes;
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
      const bytes = await this.#take(Math.min(this.#readBytes, this.#left()));
      this.#compression.count(bytes.length, bytes.length);
      return bytes;
    }
    const head = await this.#take(3);
    const header = (head[0] ?? 0) | ((head[1] ?? 0) << 8) | ((head[2] ?? 0) << 16);
    const length = header >> 1;
    if (length > blockSize) throw damaged(`a chunk of ${length} bytes is larger than the block size of ${blockSize}`);
    const chunk = await this.#take(length);
    const decoded = header & 1 ? chunk : trimmed(decompress(chunk, blockSize));
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
    const to = Math.min(this.#end, this.#next + Math.max(length - rest.length, this.#readBytes));
    const more = await this.#source.read(this.#next, to);
    if (more.length !== to - this.#next) throw damaged(`it ends at byte ${this.#source.size}, inside a stream`);
    this.#next = to;
    this.#held = rest.length === 0 ? more : Buffer.concat([rest, more]);
    this.#at = 0;
  }
}

/** Bytes that do not keep a buffer alive which is much larger: codecs do not know beforehand how many will come out. */
function trimmed(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > bytes.length * 2 ? new Uint8Array(bytes) : bytes;
}

/** Decoded bytes of a footer: some hundreds a stripe and column; one beyond this is an attack or garbage. */
const MAX_FOOTER_BYTES = 64 * 2 ** 20;

/** All decoded bytes of the file's footer or a stripe's. Throws `limit_exceeded` where they are too many. */
export async function readFooter(source: Source, compression: Compression, from: number, length: number): Promise<Uint8Array> {
  if (length > MAX_FOOTER_BYTES) throw beyond("an ORC footer is too long", "orcFooter", length, MAX_FOOTER_BYTES);
  const chunks = new Chunks(source, compression, { from, length, readBytes: length });
  const parts: Uint8Array[] = [];
  let size = 0;
  while (!chunks.done) {
    const part = await chunks.next();
    size += part.length;
    if (size > MAX_FOOTER_BYTES) throw beyond("an ORC footer is too long", "orcFooter", size, MAX_FOOTER_BYTES);
    parts.push(part);
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, size);
}
