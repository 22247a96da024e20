import type { ColumnData } from "../../schema/column-data.ts";
import { type BatchTally, type ColumnReader, readInts } from "./column-reader.ts";
import { damaged } from "./damage.ts";
import { type DecimalVarints, putQuarters, quartersAt } from "./decimal-varints.ts";
import { type Presence, type PresentReader, validityOf } from "./presence.ts";
import type { RleInts } from "./rle-int.ts";

/** The column's type: every value is brought to its scale and must have no more digits than its precision. */
export interface DecimalDigits {
  readonly precision: number;
  readonly scale: number;
}

export interface DecimalStreams {
  readonly present: PresentReader;
  readonly unscaled: DecimalVarints;
  /** The scale of each value. */
  readonly scales: RleInts;
}

/** Decimals up to version 0.12: numbers of any size, and a scale for each. */
export function decimalColumn({ present, unscaled, scales }: DecimalStreams, type: DecimalDigits, tally: BatchTally): ColumnReader {
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      const { rows, count } = presence;
      tally.take(rows * 16);
      unscaled.stream.check(count);
      const values = new Int32Array(rows * 4);
      await unscaled.read(values, count);
      const scaled = await readInts(scales, count, count);
      for (let i = 0; i < count; i++) {
        if (scaled[i * 2] !== type.scale || scaled[i * 2 + 1] !== 0) rescale(values, i * 4, scaled, i, type.scale, tally);
      }
      return finished(values, presence, type);
    },
  };
}

/** Decimals of up to 18 digits in drafts of version 2.0: whole numbers in runs, all of the column's scale. */
export function shortDecimalColumn(present: PresentReader, ints: RleInts, type: DecimalDigits, tally: BatchTally): ColumnReader {
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      const { rows, count } = presence;
      tally.take(rows * 16);
      const halves = await readInts(ints, count, count);
      const values = new Int32Array(rows * 4);
      for (let i = 0; i < count; i++) {
        const high = halves[i * 2 + 1] ?? 0;
        values[i * 4] = halves[i * 2] ?? 0;
        values[i * 4 + 1] = high;
        values[i * 4 + 2] = high >> 31;
        values[i * 4 + 3] = high >> 31;
      }
      return finished(values, presence, type);
    },
  };
}

function rescale(values: Int32Array, o: number, scales: Int32Array, i: number, to: number, tally: BatchTally): void {
  const from = scales[i * 2] ?? 0;
  // A decimal of 128 bits has 38 digits; a scale beyond twice that is garbage, and its power of ten would take memory.
  if (scales[i * 2 + 1] !== from >> 31 || Math.abs(from) > 76) throw damaged("a decimal has a scale beyond 76 digits");
  const value = quartersAt(values, o);
  if (from <= to) {
    const raised = value * 10n ** BigInt(to - from);
    if (BigInt.asIntN(128, raised) !== raised) throw damaged("a decimal has more than 38 digits");
    return putQuarters(values, o, raised);
  }
  const unit = 10n ** BigInt(from - to);
  if (value % unit !== 0n) tally.cut++;
  putQuarters(values, o, value / unit);
}

function finished(values: Int32Array, presence: Presence, { precision }: DecimalDigits): ColumnData {
  checkDigits(values, presence.count, precision);
  if (presence.bytes !== null) spreadQuarters(values, presence);
  return { ...validityOf(presence), form: "pairs", values: new BigInt64Array(values.buffer) };
}

/** As doubles all but a few are told to fit; what rounds to the bound is looked at exactly. */
function checkDigits(values: Int32Array, count: number, precision: number): void {
  const bound = 10 ** precision;
  const exact = 10n ** BigInt(precision);
  for (let i = 0; i < count * 4; i += 4) {
    const size = Math.abs(
      (values[i + 3] ?? 0) * 2 ** 96 +
        ((values[i + 2] ?? 0) >>> 0) * 2 ** 64 +
        ((values[i + 1] ?? 0) >>> 0) * 2 ** 32 +
        ((values[i] ?? 0) >>> 0),
    );
    if (size < bound * (1 - 2 ** -50)) continue;
    const value = quartersAt(values, i);
    if (value >= exact || value <= -exact) throw damaged(`a decimal has more than the ${precision} digits of its type`);
  }
}

function spreadQuarters(values: Int32Array, { rows, count, bytes }: Presence): void {
  let from = count;
  for (let row = rows - 1; row >= 0; row--) {
    const has = bytes?.[row] === 1;
    if (has) from--;
    for (let i = 0; i < 4; i++) values[row * 4 + i] = has ? (values[from * 4 + i] ?? 0) : 0;
  }
}
