import type { ColumnData } from "../../schema/column-data.ts";
import { Fault } from "../../domain/fault.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { Encoding } from "./stripe-footer.ts";
import { RleIntsV1 } from "./rle-int-v1.ts";
import { RleIntsV2 } from "./rle-int-v2.ts";
import type { RleInts } from "./rle-int.ts";
import { damaged } from "./damage.ts";
import type { Presence } from "./presence.ts";

/** One column of a stripe, from its first row to its last. */
export interface ColumnReader {
  /** The next `parent.rows` rows; only those in which the parent has a value are in the column's streams. */
  read(parent: Presence): Promise<ColumnData>;
}

/** Rows of one batch take too much memory: fewer must be read at once. */
export class BatchTooLarge extends Error {}

/** Memory of one batch, counted before it is taken, and what was lost while it was decoded. */
export class BatchTally {
  bytes = 0;
  /** Values that lost digits. */
  cut = 0;
  rows = 0;

  begin(rows: number): void {
    this.bytes = 0;
    this.cut = 0;
    this.rows = rows;
  }

  /** Throws `BatchTooLarge`, or `limit_exceeded` where the batch is a single row. */
  take(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes <= SOFT_BYTES) return;
    if (this.rows > 1) throw new BatchTooLarge("a batch takes too much memory");
    if (this.bytes <= HARD_BYTES) return;
    throw new Fault("limit_exceeded", `one row takes more than ${HARD_BYTES} bytes (limit rowBytes)`, {
      field: "rowBytes",
      limit: HARD_BYTES,
    });
  }
}

const SOFT_BYTES = 64 * 2 ** 20;
const HARD_BYTES = 256 * 2 ** 20;
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

/** Where each row's part of the values begins, from lengths that are there only for rows with a value. */
export async function readOffsets(ints: RleInts, presence: Presence): Promise<Int32Array> {
  const halves = await readInts(ints, presence.count, presence.count);
  const offsets = new Int32Array(presence.rows + 1);
  let total = 0;
  for (let row = 0, i = 0; row < presence.rows; row++) {
    if (presence.bytes === null || presence.bytes[row] === 1) {
      const length = halves[i] ?? 0;
      if (halves[i + 1] !== 0 || length < 0) throw damaged("a length is negative or beyond 2^31");
      total += length;
      i += 2;
    }
    if (total > 0x7fff_ffff) throw new BatchTooLarge("a batch takes more than 2^31 bytes");
    offsets[row + 1] = total;
  }
  return offsets;
}
