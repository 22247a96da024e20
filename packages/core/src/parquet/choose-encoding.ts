import type { DenseValues } from "../columns/column-chunk.ts";
import { DELTA_RANGE } from "./delta.ts";
import { ENCODING, type Encoding } from "./encoded-chunk.ts";
import { extremesOf } from "./extremes.ts";

/** Runs of values that are looked at, and how many in each. */
const PROBES = 8;
const PROBE = 128;
/** Bits a value from which on zstd of the values as they are does no worse, mostly, and no slower. */
const WORTH = 20;

/** Delta for whole numbers, dates and times whose neighbours are close; else the values as they are. */
export function chooseEncoding(plain: DenseValues): Encoding {
  if (plain.form !== "words" && plain.form !== "days") return ENCODING.plain;
  if (plain.count < 2 || rangeOf(plain) >= (plain.form === "words" ? DELTA_RANGE : 2 ** 30)) return ENCODING.plain;
  return bitsOfDeltas(plain) <= WORTH ? ENCODING.delta : ENCODING.plain;
}

type Whole = DenseValues & { readonly form: "words" | "days" };

function rangeOf(plain: Whole): number {
  const { least, greatest } = extremesOf(plain, 0, plain.count, 0, null);
  return valueAt(plain, greatest) - valueAt(plain, least);
}

/** About: exact only below 2^53. */
function valueAt(plain: Whole, i: number): number {
  if (plain.form === "days") return plain.values[i]!;
  return plain.halves[2 * i + 1]! * 4294967296 + (plain.halves[2 * i]! >>> 0);
}

/** Bits a value, on average over some stretches of the column. */
function bitsOfDeltas(plain: Whole): number {
  let bits = 0;
  let seen = 0;
  const stride = Math.max(PROBE, Math.floor(plain.count / PROBES));
  for (let start = 0; start + 1 < plain.count; start += stride) {
    const end = Math.min(start + PROBE, plain.count);
    for (let from = start + 1; from < end; from += 32) {
      let least = Infinity;
      let greatest = -Infinity;
      const to = Math.min(from + 32, end);
      for (let i = from; i < to; i++) {
        const delta = valueAt(plain, i) - valueAt(plain, i - 1);
        if (delta < least) least = delta;
        if (delta > greatest) greatest = delta;
      }
      bits += (to - from) * Math.ceil(Math.log2(greatest - least + 1));
      seen += to - from;
    }
  }
  return bits / seen;
}
