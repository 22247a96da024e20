import { type Data, type DataType, Int32, Int64 } from "apache-arrow";
import { dataOf, type Facts, int32s, isValidAt, nested, type Taking } from "./data.ts";
import { decimalText, wideDecimals } from "./decimals.ts";
import { INTERVALS, isDecimal128, type Output } from "./output.ts";
import { unreadable } from "./refuse.ts";
import type { FixedType } from "./schema.ts";

const DAY_MS = 86_400_000n;
/** How many of each time unit a day has: seconds, milliseconds, microseconds, nanoseconds. */
const DAY_IN = [86_400n, 86_400_000n, 86_400_000_000n, 86_400_000_000_000n] as const;
const MAX_INT64 = 2n ** 63n - 1n;

/** Values of a fixed width, little-endian, as the Data of their output type. `bytes` is aligned to its width, or to 8. */
export function fixedData(output: Output, type: FixedType, bytes: Uint8Array, facts: Facts, taking: Taking): Data {
  const plain = () => dataOf(output.type, facts, undefined, typed(output.type, bytes));
  switch (type.is) {
    case "time":
      checkTimes(type.bits === 32 ? int32s(bytes) : int64s(bytes), DAY_IN[type.unit], facts, taking);
      return type.unit === 0
        ? dataOf(
            output.type,
            facts,
            undefined,
            int32s(bytes).map((v) => v * 1_000),
          )
        : plain();
    case "timestamp":
      if (type.unit === 0) return dataOf(output.type, facts, undefined, millisOf(int64s(bytes), facts, taking));
      if (type.unit === 1) checkReach(int64s(bytes), 1_000n, facts, taking);
      return plain();
    case "date":
      return type.days ? plain() : dataOf(output.type, facts, undefined, daysOf(int64s(bytes), facts, taking));
    case "decimal": {
      if (!isDecimal128(type)) return decimalText(bytes, type, output.type, facts, taking);
      return dataOf(output.type, facts, undefined, wideDecimals(bytes, type, facts, taking));
    }
    case "interval":
      return type.unit === "months" ? plain() : intervals(bytes, type.unit, facts);
    case "bytes":
      if (type.width > 0) return plain();
      return dataOf(output.type, facts, new Int32Array(facts.rows + 1), new Uint8Array(0));
    case "int":
    case "float":
    case "duration":
      return plain();
  }
}

function typed(type: DataType, bytes: Uint8Array): unknown {
  const make = type.ArrayType as unknown as {
    new (buffer: ArrayBufferLike, at: number, length: number): unknown;
    BYTES_PER_ELEMENT: number;
  };
  return new make(bytes.buffer, bytes.byteOffset, bytes.length / make.BYTES_PER_ELEMENT);
}

function int64s(bytes: Uint8Array): BigInt64Array {
  return new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
}

/** Times of day lie within one day; its end, 24:00:00, is one that databases write. */
function checkTimes(values: Int32Array | BigInt64Array, day: bigint, facts: Facts, taking: Taking): void {
  const most = values instanceof Int32Array ? Number(day) : day;
  for (let i = 0; i < facts.rows; i++) {
    const value = values[i] ?? 0;
    if ((value < 0 || value > most) && isValidAt(facts, i)) {
      return unreadable(`column ${JSON.stringify(taking.column)} has the time of day ${value} of ${day} a day`);
    }
  }
}

function millisOf(seconds: BigInt64Array, facts: Facts, taking: Taking): BigInt64Array {
  checkReach(seconds, 1_000_000n, facts, taking);
  return seconds.map((value) => value * 1_000n);
}

/** Every time must be one that microseconds in 64 bits hold. */
function checkReach(values: BigInt64Array, micros: bigint, facts: Facts, taking: Taking): void {
  const most = MAX_INT64 / micros;
  for (let i = 0; i < facts.rows; i++) {
    const value = values[i] ?? 0n;
    if ((value > most || value < -most) && isValidAt(facts, i)) {
      unreadable(`column ${JSON.stringify(taking.column)} has a time ${value * micros} microseconds from 1970, beyond every type of ours`);
    }
  }
}

/** Days of dates in milliseconds, which are whole days. */
function daysOf(millis: BigInt64Array, facts: Facts, taking: Taking): Int32Array {
  const out = new Int32Array(facts.rows);
  for (let i = 0; i < facts.rows; i++) {
    if (!isValidAt(facts, i)) continue;
    const value = millis[i] ?? 0n;
    const rest = ((value % DAY_MS) + DAY_MS) % DAY_MS;
    const day = Number((value - rest) / DAY_MS);
    if (day !== (day | 0))
      return unreadable(`column ${JSON.stringify(taking.column)} has a date ${value} ms from 1970, beyond every type of ours`);
    if (rest !== 0n) return unreadable(`column ${JSON.stringify(taking.column)} has a date ${value} ms from 1970, which is no whole day`);
    out[i] = day;
  }
  return out;
}

function intervals(bytes: Uint8Array, unit: "days" | "nanos", facts: Facts): Data {
  const words = int32s(bytes);
  const stride = unit === "days" ? 2 : 4;
  const every = (from: number) => Int32Array.from({ length: facts.rows }, (_, i) => words[i * stride + from] ?? 0);
  const ints = (from: number) => dataOf(new Int32(), facts, undefined, every(from));
  const nanos = () => {
    const out = new Int32Array(facts.rows * 2);
    for (let i = 0; i < facts.rows; i++) out.set(words.subarray(i * 4 + 2, i * 4 + 4), i * 2);
    return dataOf(new Int64(), facts, undefined, new BigInt64Array(out.buffer));
  };
  const children = unit === "days" ? [ints(0), ints(1)] : [ints(0), ints(1), nanos()];
  return nested(INTERVALS[unit], facts, undefined, children);
}
