import type { ColumnData } from "../../schema/column-data.ts";
import type { ByteStream } from "./byte-stream.ts";
import { type BatchTally, type ColumnReader, readInts } from "./column-reader.ts";
import { gregorianDay } from "./calendar.ts";
import { damaged } from "./damage.ts";
import { bitmapOf, type Presence, type PresentReader, spread, validityOf } from "./presence.ts";
import { RleBits, RleBytes } from "./rle-byte.ts";
import type { RleInts } from "./rle-int.ts";
import { asWords } from "./words.ts";

/** smallint, int, bigint: one stream of signed numbers. */
export function intColumn(present: PresentReader, ints: RleInts, tally: BatchTally): ColumnReader {
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      tally.take(presence.rows * 8);
      const halves = await readInts(ints, presence.count, presence.rows);
      spread(halves, presence, 2);
      return { ...validityOf(presence), form: "words", values: asWords(halves) };
    },
  };
}

/** tinyint: bytes in runs, signed. */
export function byteColumn(present: PresentReader, stream: ByteStream, tally: BatchTally): ColumnReader {
  const bytes = new RleBytes(stream);
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      tally.take(presence.rows * 8);
      const values = new Uint8Array(presence.rows);
      await bytes.read(values, presence.count);
      spread(values, presence, 1);
      const halves = new Int32Array(presence.rows * 2);
      for (let row = 0; row < presence.rows; row++) {
        const value = ((values[row] ?? 0) << 24) >> 24;
        halves[row * 2] = value;
        halves[row * 2 + 1] = value >> 31;
      }
      return { ...validityOf(presence), form: "words", values: asWords(halves) };
    },
  };
}

/** boolean: bits in runs of bytes. */
export function boolColumn(present: PresentReader, stream: ByteStream, tally: BatchTally): ColumnReader {
  const reader = new RleBits(stream);
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      tally.take(presence.rows);
      const { bits } = await reader.read(presence.count);
      const values = new Uint8Array(presence.rows);
      values.set(bits);
      spread(values, presence, 1);
      return { ...validityOf(presence), form: "bits", values: bitmapOf(values, presence.rows) };
    },
  };
}

/** float and double: IEEE 754, little-endian, of 4 or 8 bytes. */
export function floatColumn(present: PresentReader, stream: ByteStream, size: 4 | 8, tally: BatchTally): ColumnReader {
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      const { rows, count } = presence;
      tally.take(rows * 8);
      stream.check(count * size);
      const values = new Float64Array(rows);
      if (size === 8) await stream.copy(new Uint8Array(values.buffer), 0, count * 8);
      else {
        const singles = new Float32Array(count);
        await stream.copy(new Uint8Array(singles.buffer), 0, count * 4);
        values.set(singles);
      }
      spread(values, presence, 1);
      return { ...validityOf(presence), form: "doubles", values };
    },
  };
}

export interface DateStreams {
  readonly present: PresentReader;
  readonly ints: RleInts;
  /** Days before 1582-10-15 are those of the Julian calendar. */
  readonly julian: boolean;
}

/** date: days since 1970. */
export function dateColumn({ present, ints, julian }: DateStreams, tally: BatchTally): ColumnReader {
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      tally.take(presence.rows * 4);
      const halves = await readInts(ints, presence.count, presence.count);
      const values = new Int32Array(presence.rows);
      for (let i = 0; i < presence.count; i++) {
        const day = halves[i * 2] ?? 0;
        if (halves[i * 2 + 1] !== day >> 31) throw damaged("a date is further from 1970 than 2^31 days");
        values[i] = julian ? gregorianDay(day) : day;
      }
      spread(values, presence, 1);
      return { ...validityOf(presence), form: "days", values };
    },
  };
}
