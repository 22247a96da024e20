import type { ColumnData } from "../../schema/column-data.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { Encoding } from "./stripe-footer.ts";
import { RleIntsV1 } from "./rle-int-v1.ts";
import { RleIntsV2 } from "./rle-int-v2.ts";
import type { RleInts } from "./rle-int.ts";
import { beyond, damaged } from "./damage.ts";
import type { Presence } from "./presence.ts";

/** One column of a stripe, from its first row to its last. */
export interface ColumnReader {
  /** The next `parent.rows` rows; only those in which the parent has a value are in the column's streams. */
  read(parent: Presence): Promise<ColumnData>;
}

/** Rows of one batch take too much memory: fewer must be read at once. */
export class BatchTooLarge extends Error {}

/** More memory than this no batch of several rows takes. */
const SOFT_BYTES = 32 * 2 ** 20;

/** Memory of one batch, counted before it is taken, and what was lost while it was decoded. */
export class BatchTally {
  readonly #recordBytes: number;
  bytes = 0;
  /** Values that lost digits. */
  cut = 0;
  #rows = 0;

  /** `recordBytes` is what a single row may take where that is more. */
  constructor(recordBytes: number) {
    this.#recordBytes = Math.max(recordBytes, SOFT_BYTES);
  }

  begin(rows: number): void {
    this.bytes = 0;
    this.cut = 0;
    this.#rows = rows;
  }

  /** Throws as `take` does where there is not enough. */
  readonly tooLong = (bytes: number): never => {
    this.take(bytes);
    throw beyond("one row takes too many bytes", "recordBytes", bytes, 0x7fff_ffff);
  };

  /** Throws `BatchTooLarge`, or `limit_exceeded` where the batch is a single row. */
  take(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes <= SOFT_BYTES) return;
    if (this.#rows > 1) throw new BatchTooLarge("a batch takes too much memory");
    if (this.bytes > this.#recordBytes) throw beyond("one row takes too many bytes", "recordBytes", this.bytes, this.#recordBytes);
  }
}

/** Most numbers that a byte stands for: two bytes can be a run of 512. */
const INTS_A_BYTE = 256;

export function intsOf(stream: ByteStream, encoding: Encoding, signed: boolean): RleInts {
  return encoding.version === 1 ? new RleIntsV1(stream, signed) : new RleIntsV2(stream, signed);
}

/** The next `count` numbers as halves, in an array with room for `rows` of them. */
export async function readInts(ints: RleInts, count: number, rows: number): Promise<Int32Array> {
  ints.stream.check(Math.floor(count / INTS_A_BYTE));
  const halves = new Int32Array(rows * 2);
  await ints.read(halves, count);
  return halves;
}

/** Lengths are looked at in pieces: as halves, all of them would take twice the memory of the offsets. */
const PIECE = 4_096;

/**
 * Where each row's part of the values begins, from lengths that are there only for rows with a value. `tooLong` is told
 * when they add up to more than 2^31 - 1, and must throw.
 */
export async function readOffsets(ints: RleInts, presence: Presence, tooLong: (total: number) => never): Promise<Int32Array> {
  const { rows, count, bytes } = presence;
  ints.stream.check(Math.floor(count / INTS_A_BYTE));
  const offsets = new Int32Array(rows + 1);
  const halves = new Int32Array(Math.min(count, PIECE) * 2);
  let [total, left, at, held] = [0, count, 0, 0];
  for (let row = 0; row < rows; row++) {
    if (bytes === null || bytes[row] === 1) {
      if (at === held) {
        held = Math.min(left, PIECE);
        await ints.read(halves, held);
        left -= held;
        at = 0;
      }
      const length = halves[at * 2] ?? 0;
      if (halves[at * 2 + 1] !== 0 || length < 0) throw damaged("a length is negative or beyond 2^31");
      total += length;
      at++;
      if (total > 0x7fff_ffff) tooLong(total);
    }
    offsets[row + 1] = total;
  }
  return offsets;
}
