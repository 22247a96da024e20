import { zstdCompressSync } from "node:zlib";
import type { DenseValues } from "../columns/column-chunk.ts";
import { DELTA_RANGE, deltaBound, deltaSource, putDelta } from "./delta.ts";
import { ENCODING, type Encoding } from "./encoded-chunk.ts";
import { extremesOf } from "./extremes.ts";

/** Runs of values that are looked at, and how many in each. */
const PROBES = 8;
const PROBE = 128;
/** With so few bits a value deltas win; with so many they do not. In between a stretch of the column is tried both ways. */
const SURE = 20;
const HOPELESS = 48;
const TRIED = 4_096;
/** How much larger deltas may be: they are half as long to compress, so they are about three times as fast. */
const WORTH = 1.03;

/** Delta for whole numbers, dates and times whose neighbours are close; else the values as they are. */
export function chooseEncoding(plain: DenseValues): Encoding {
  if ((plain.form !== "words" && plain.form !== "days") || plain.count < 2) return ENCODING.plain;
  const bits = bitsOfDeltas(plain);
  if (bits > HOPELESS || rangeOf(plain) >= (plain.form === "words" ? DELTA_RANGE : 2 ** 30)) return ENCODING.plain;
  return bits <= SURE || deltaWins(plain) ? ENCODING.delta : ENCODING.plain;
}

/** Compresses a stretch in the middle of the column in both encodings. */
function deltaWins(plain: Whole): boolean {
  const source = deltaSource(plain);
  const from = Math.max(0, (plain.count - TRIED) >> 1);
  const to = Math.min(plain.count, from + TRIED);
  const room = new Uint8Array(deltaBound(to - from));
  const deltas = zstdCompressSync(room.subarray(0, putDelta(source, from, to, room, 0)));
  const values = zstdCompressSync(source.words.subarray(from * source.step, to * source.step));
  return deltas.length <= values.length * WORTH;
}

type Whole = DenseValues & { readonly form: "words" | "days" };

function rangeOf(plain: Whole): number {
  const { least, greatest } = extremesOf(plain, 0, plain.count, null);
  return differenceOf(plain, greatest, least);
}

/** Value `a` less value `b`; rounded only where it is beyond what deltas may be. */
function differenceOf(plain: Whole, a: number, b: number): number {
  if (plain.form === "days") return plain.values[a]! - plain.values[b]!;
  const { halves } = plain;
  return (halves[2 * a + 1]! - halves[2 * b + 1]!) * 4294967296 + ((halves[2 * a]! >>> 0) - (halves[2 * b]! >>> 0));
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
        const delta = differenceOf(plain, i, i - 1);
        if (delta < least) least = delta;
        if (delta > greatest) greatest = delta;
      }
      bits += (to - from) * Math.ceil(Math.log2(greatest - least + 1));
      seen += to - from;
    }
  }
  return bits / seen;
}
