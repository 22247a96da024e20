import { gregorianSecond } from "./calendar.ts";
import { damaged } from "./damage.ts";
import type { TimeZone } from "./time-zone.ts";
import { wordAt } from "./words.ts";

/** 2015-01-01 00:00:00 UTC: where ORC counts seconds from. */
const EPOCH = 1_420_070_400;
/** Seconds within which nanoseconds and microseconds since 1970 fit 64 bits. */
export const NANO_REACH = 9_223_372_036;
const MICRO_REACH = 9_223_372_036_854;

/** Nanoseconds as written: the lowest three bits say how many zeros were left out, less one. */
function nanosOf(halves: Int32Array, i: number): number {
  const low = halves[i * 2] ?? 0;
  const zeros = low & 7;
  const value = (halves[i * 2 + 1] ?? 0) * 2 ** 29 + (low >>> 3);
  const nanos = zeros === 0 ? value : value * 10 ** (zeros + 1);
  if (!(Math.abs(nanos) < 1e9)) throw damaged(`a timestamp has ${nanos} nanoseconds`);
  return nanos;
}

/** Where a stripe's seconds count from, and how its timestamps become what a column of ours holds. */
export class TimeBase {
  readonly #zone: TimeZone;
  readonly #julian: boolean;
  readonly #epoch: number;
  /** Since 1970, local where the zone is, rounded down; and nanoseconds beyond that. */
  second = 0;
  nano = 0;

  /** Local timestamps are those of the writer's clock; instants count from 2015 in UTC (a zone that is UTC). */
  constructor(zone: TimeZone, julian: boolean) {
    this.#zone = zone;
    this.#julian = julian;
    this.#epoch = EPOCH - zone.offsetAt(EPOCH - zone.offsetAt(EPOCH));
  }

  /**
   * Reads value `i` of both streams to `second` and `nano`. Writers cut seconds towards zero, from milliseconds, so before 1970
   * a timestamp with milliseconds is one second later than it was; Arrow C++ writes negative nanoseconds instead.
   */
  read(seconds: Int32Array, nanos: Int32Array, i: number): void {
    const instant = wordAt(seconds, i) + this.#epoch;
    const nano = nanosOf(nanos, i);
    const second = nano < 0 || (instant < 0 && nano > 999_999) ? instant - 1 : instant;
    if (!(Math.abs(second) < MICRO_REACH)) {
      throw damaged(`a timestamp is ${second} seconds from 1970, beyond what 64 bits of microseconds hold`);
    }
    const local = this.#zone.isUtc ? second : second + this.#zone.offsetAt(second);
    this.second = this.#julian ? gregorianSecond(local) : local;
    this.nano = nano < 0 ? nano + 1e9 : nano;
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
