import { zstdDecompressSync } from "node:zlib";
import type { FormatLimits } from "../format.ts";
import { decodeLz4Frame } from "./lz4-frame.ts";
import type { BatchHead } from "./message.ts";
import { beyond, unreadable } from "./refuse.ts";

/** As in decompress.ts: below it a ratio says nothing. */
const RATIO_FROM_BYTES = 64 * 2 ** 20;

/** The buffers of one batch, each decompressed when it is asked for. */
export class Body {
  readonly #bytes: Uint8Array;
  readonly #head: BatchHead;
  readonly #limits: Pick<FormatLimits, "ratio" | "heldBytes">;
  #next = 0;
  #decoded = 0;

  constructor(bytes: Uint8Array, head: BatchHead, limits: Pick<FormatLimits, "ratio" | "heldBytes">) {
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#head = head;
    this.#limits = limits;
  }

  /** The next buffer in the order of the schema. */
  next(): Uint8Array {
    const [offset, length] = [this.#head.buffers[this.#next], this.#head.buffers[this.#next + 1]];
    this.#next += 2;
    if (offset === undefined || length === undefined) return unreadable("a batch has fewer buffers than its columns need");
    if (offset > this.#bytes.length || length > this.#bytes.length - offset) {
      return unreadable(`a buffer of ${length} bytes at ${offset} lies outside its body of ${this.#bytes.length} bytes`);
    }
    const bytes = this.#bytes.subarray(offset, offset + length);
    return this.#head.codec === null || length === 0 ? bytes : this.#decompress(bytes, this.#head.codec);
  }

  /** Throws where a batch has buffers that no column owns. */
  end(): void {
    if (this.#next < this.#head.buffers.length) unreadable("a batch has more buffers than its columns need");
  }

  /** A compressed buffer: [length as int64, -1: stored as it is][bytes]. */
  #decompress(bytes: Uint8Array, codec: "lz4" | "zstd"): Uint8Array {
    if (bytes.length < 8) return unreadable("a compressed buffer without its length");
    const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
    const packed = bytes.subarray(8);
    if (length === -1n) return packed;
    if (length < 0n) return unreadable(`a buffer of ${length} bytes`);
    if (length === 0n) return new Uint8Array(0);
    this.#spend(Number(length));
    return codec === "lz4" ? decodeLz4Frame(packed, Number(length)) : decodeZstd(packed, Number(length));
  }

  #spend(length: number): void {
    this.#decoded += length;
    const { ratio, heldBytes } = this.#limits;
    if (this.#decoded > heldBytes) {
      beyond("heldBytes", `a record batch takes more than ${heldBytes} bytes: write smaller batches`, this.#decoded, heldBytes);
    }
    if (this.#decoded >= RATIO_FROM_BYTES && this.#decoded > this.#bytes.length * ratio) {
      const found = Math.round(this.#decoded / Math.max(this.#bytes.length, 1));
      beyond("ratio", `${this.#bytes.length} compressed bytes become more than ${ratio} times as many`, found, ratio);
    }
  }
}

function decodeZstd(packed: Uint8Array, length: number): Uint8Array {
  let out: Uint8Array;
  try {
    // Grows as the data comes, so that a claimed length costs nothing; beyond it, decompression fails.
    out = zstdDecompressSync(packed, { maxOutputLength: length, chunkSize: Math.min(Math.max(length, 64), 2 ** 20) });
  } catch (error) {
    return unreadable(`a buffer is no zstd of ${length} bytes (${error instanceof Error ? error.message : String(error)})`);
  }
  if (out.length !== length) unreadable(`a zstd buffer of ${length} bytes became ${out.length}`);
  return out;
}
