import type { ColumnData } from "../../schema/column-data.ts";
import { type BatchTally, type ColumnReader, readInts } from "./column-reader.ts";
import { type Presence, type PresentReader, spread, validityOf } from "./presence.ts";
import type { RleInts } from "./rle-int.ts";
import { putScaled, type TimeBase } from "./timestamps.ts";
import { asWords } from "./words.ts";

export interface TimestampStreams {
  readonly present: PresentReader;
  readonly seconds: RleInts;
  readonly nanos: RleInts;
}

/** timestamp and timestamp with local time zone: seconds since 2015 and nanoseconds. What microseconds cannot hold is counted as cut. */
export function timestampColumn(
  { present, seconds, nanos }: TimestampStreams,
  { base, unit }: { readonly base: TimeBase; readonly unit: "us" | "ns" },
  tally: BatchTally,
): ColumnReader {
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      const { rows, count } = presence;
      tally.take(rows * 8);
      const whole = await readInts(seconds, count, rows);
      const parts = await readInts(nanos, count, count);
      for (let i = 0; i < count; i++) {
        base.read(whole, parts, i);
        const { second, nano } = base;
        if (unit === "ns") putScaled(whole, i, second, 1e9, nano);
        else {
          const micros = Math.floor(nano / 1000);
          if (micros * 1000 !== nano) tally.cut++;
          putScaled(whole, i, second, 1e6, micros);
        }
      }
      spread(whole, presence, 2);
      return { ...validityOf(presence), form: "words", values: asWords(whole) };
    },
  };
}
