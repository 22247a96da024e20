import { Fault } from "../../domain/fault.ts";

const DAY = 86_400;
/** Offsets outside of these years are those at their bounds: before, local mean time; after, the rules go on as they are. */
const FROM = Date.UTC(1800, 0, 1) / 1000;
const TO = Date.UTC(9999, 0, 1) / 1000;
const MAX_DAYS = 100_000;

/** Offsets within one day of UTC: `before`, and from second `at` on `after`. */
interface DayOffsets {
  readonly before: number;
  readonly at: number;
  readonly after: number;
}

/** The clock on the wall in one time zone. Days are looked at once: a day's first and last second tell whether clocks changed. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat | null;
  readonly #days = new Map<number, DayOffsets>();
  #day = Number.NaN;
  #last: DayOffsets = { before: 0, at: 0, after: 0 };

  /** An IANA name, or one of UTC's. "" is UTC. Throws `unsupported_format` for a zone that is not known. */
  constructor(name: string) {
    this.#format = /^(?:|UTC|GMT|Z|Etc\/UTC|Etc\/GMT)$/.test(name) ? null : formatFor(name);
  }

  get isUtc(): boolean {
    return this.#format === null;
  }

  /** Seconds to add to an instant (seconds since 1970, UTC) for the zone's local time. */
  offsetAt(instant: number): number {
    if (this.#format === null) return 0;
    const second = Math.min(Math.max(instant, FROM), TO);
    const day = Math.floor(second / DAY);
    if (day !== this.#day) {
      this.#last = this.#offsetsOf(day, this.#format);
      this.#day = day;
    }
    return second < this.#last.at ? this.#last.before : this.#last.after;
  }

  #offsetsOf(day: number, format: Intl.DateTimeFormat): DayOffsets {
    const known = this.#days.get(day);
    if (known) return known;
    const from = day * DAY;
    const [before, after] = [offset(format, from), offset(format, from + DAY - 1)];
    const found = { before, after, at: before === after ? from : changeWithin(format, from, from + DAY - 1) };
    if (this.#days.size >= MAX_DAYS) this.#days.clear();
    this.#days.set(day, found);
    return found;
  }
}

function formatFor(name: string): Intl.DateTimeFormat {
  // Java writes an offset as GMT+08:00.
  const timeZone = /^(?:GMT|UTC)([+-]\d\d:?\d\d)$/.exec(name)?.[1] ?? name;
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    throw new Fault("unsupported_format", `its timestamps are in the time zone ${JSON.stringify(name)}, which is not known`, {
      value: name,
    });
  }
}

function offset(format: Intl.DateTimeFormat, instant: number): number {
  const parts = new Map(format.formatToParts(instant * 1000).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second")) / 1000 - instant;
}

/** The first second with the offset of `to`, which is not that of `from`. */
function changeWithin(format: Intl.DateTimeFormat, from: number, to: number): number {
  const before = offset(format, from);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offset(format, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}
