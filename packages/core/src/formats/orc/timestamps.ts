import { damaged } from "./damage.ts";
import type { TimeZone } from "./time-zone.ts";
import { wordAt } from "./words.ts";

/** 2015-01-01 00:00:00 UTC: where ORC counts seconds from. */
const EPOCH = 1_420_070_400;
/** Seconds within which nanoseconds and microseconds since 1970 fit 64 bits. */
export const NANO_REACH = 9_223_372_036;
const MICRO_REACH = 9_223_372_036_854;

/** Nanoseconds as written: the lowest three bits say how many zeros were left out, less one. */
export function nanosOf(low: number, high: number): number {
  const zeros = low & 7;
  const value = high * 2 ** 29 + (low >>> 3);
  const nanos = zeros === 0 ? value : value * 10 ** (zeros + 1);
  if (nanos >= 1e9 || nanos < 0) throw damaged(`a timestamp has ${nanos} nanoseconds`);
  return nanos;
}

/** Where a stripe's seconds count from, and how its timestamps become what a column of ours holds. */
export class TimeBase {
  readonly #zone: TimeZone;
  readonly #epoch: number;

  /** Local timestamps are those of the writer's clock; instants count from 2015 in UTC (a zone that is UTC). */
  constructor(zone: TimeZone) {
    this.#zone = zone;
    this.#epoch = EPOCH - zone.offsetAt(EPOCH - zone.offsetAt(EPOCH));
  }

  /**
   * Seconds since 1970, local where the zone is, rounded down. Writers cut seconds towards zero, from milliseconds, so before
   * 1970 a timestamp with milliseconds is one second later than it was.
   */
  seconds(halves: Int32Array, i: number, nanos: number): number {
    const instant = wordAt(halves, i) + this.#epoch;
    const second = instant < 0 && nanos > 999_999 ? instant - 1 : instant;
    if (!(Math.abs(second) < MICRO_REACH))
      throw damaged(`a timestamp is ${second} seconds from 1970, beyond what 64 bits of microseconds hold`);
    return this.#zone.isUtc ? second : second + this.#zone.offsetAt(second);
  }
}

/**
 * Writes seconds * `units` + `rest` as halves: exact, since both factors of 16 bits less stay below 2^53. `units` is 1e6 or 1e9.
 */
export function putScaled(out: Int32Array, i: number, seconds: number, units: number, rest: number): void {
  const upper = Math.floor(seconds / 65_536);
  const lower = seconds - upper * 65_536;
  const high = upper * units;
  const highWhole = Math.floor(high / 65_536);
  const low = (high - highWhole * 65_536) * 65_536 + lower * units + rest;
  const carry = Math.floor(low / 2 ** 32);
  out[i * 2] = low - carry * 2 ** 32;
  out[i * 2 + 1] = highWhole + carry;
}
