import { type ColumnType, MAX_DECIMAL_DIGITS } from "../../domain/table-schema.ts";
import { Fault } from "../../domain/fault.ts";
import { DecimalVarints, quartersAt } from "./decimal-varints.ts";
import { damaged } from "./damage.ts";
import type { StripeInfo } from "./footer.ts";
import type { OrcType } from "./schema.ts";
import { type OrcFile, Stripe } from "./stripe.ts";
import { STREAM } from "./stripe-footer.ts";
import { NANO_REACH, type TimeBase } from "./timestamps.ts";
import { Zones } from "./zones.ts";

/** Values looked at at a time. */
const PIECE = 4_096;

interface SeenTimes {
  /** Whether a value has digits beyond microseconds, and whether one lies beyond what 64 bits of nanoseconds reach. */
  nanos: boolean;
  far: boolean;
}

interface SeenDecimals {
  integerDigits: number;
  scale: number;
}

/**
 * Reads the streams on which the type of a column depends: a timestamp keeps nanoseconds only where it has some and all
 * its values lie within their reach, and a decimal of Hive 0.11 has the digits that its values have. Statistics would
 * be cheaper, but they need not be there, nor be right.
 */
export async function observeLeaves(file: OrcFile, stripes: readonly StripeInfo[], root: OrcType): Promise<Map<number, ColumnType>> {
  const leaves = leavesOf(root);
  const times = leaves.filter(({ kind }) => kind === "timestamp" || kind === "timestamp_instant");
  const decimals = leaves.filter(({ kind, precision }) => kind === "decimal" && precision === 0);
  if (times.length + decimals.length === 0) return new Map();
  const seenTimes = new Map(times.map((type) => [type, { nanos: false, far: false }]));
  const seenDecimals = new Map(decimals.map((type) => [type, { integerDigits: 0, scale: 0 }]));
  const zones = new Zones();
  const pass = { ...file, compression: file.compression.again() };
  for (const info of stripes) {
    const stripe = await Stripe.open(pass, info);
    for (const [type, seen] of seenTimes) await observeTimes(stripe, type, zones.base(type, stripe), seen);
    for (const [type, seen] of seenDecimals) await observeDecimals(stripe, type, seen);
  }
  return new Map([
    ...[...seenTimes].map(([type, seen]): [number, ColumnType] => [type.id, timeType(type, seen)]),
    ...[...seenDecimals].map(([type, seen]): [number, ColumnType] => [type.id, decimalType(type, seen)]),
  ]);
}

function leavesOf(type: OrcType): OrcType[] {
  return type.children.length === 0 ? [type] : type.children.flatMap((child) => leavesOf(child.type));
}

function timeType({ kind }: OrcType, { nanos, far }: SeenTimes): ColumnType {
  return { kind: "timestamp", zone: kind === "timestamp_instant", unit: nanos && !far ? "ns" : "us" };
}

/** Digits after the point give way to those before it: what is lost is counted when the values are read. */
function decimalType({ id }: OrcType, { integerDigits, scale }: SeenDecimals): ColumnType {
  if (integerDigits > MAX_DECIMAL_DIGITS) {
    throw new Fault(
      "unsupported_format",
      `type ${id} is a decimal with ${integerDigits} digits before the point, at most ${MAX_DECIMAL_DIGITS} are supported`,
    );
  }
  return { kind: "decimal", precision: MAX_DECIMAL_DIGITS, scale: Math.min(scale, MAX_DECIMAL_DIGITS - integerDigits) };
}

async function observeTimes(stripe: Stripe, type: OrcType, base: TimeBase, seen: SeenTimes): Promise<void> {
  const seconds = stripe.ints(type, STREAM.data, true);
  const nanos = stripe.ints(type, STREAM.secondary, false);
  const [whole, parts] = [new Int32Array(PIECE * 2), new Int32Array(PIECE * 2)];
  for (;;) {
    const count = await seconds.readSome(whole, PIECE);
    if (count === 0) return;
    stripe.countRows(count * 16);
    if ((await nanos.readSome(parts, count)) < count) throw damaged("a timestamp has seconds, but no nanoseconds");
    for (let i = 0; i < count; i++) {
      base.read(whole, parts, i);
      if (base.nano % 1000 !== 0) seen.nanos = true;
      if (base.second >= NANO_REACH || base.second < -NANO_REACH) seen.far = true;
    }
  }
}

async function observeDecimals(stripe: Stripe, type: OrcType, seen: SeenDecimals): Promise<void> {
  const unscaled = new DecimalVarints(stripe.stream(type, STREAM.data));
  const scales = stripe.ints(type, STREAM.secondary, true);
  const [values, scale] = [new Int32Array(PIECE * 4), new Int32Array(PIECE * 2)];
  for (;;) {
    const count = await scales.readSome(scale, PIECE);
    if (count === 0) return;
    stripe.countRows(count * 16);
    await unscaled.read(values, count);
    for (let i = 0; i < count; i++) {
      const value = quartersAt(values, i * 4);
      const here = scale[i * 2] ?? 0;
      const digits = String(value < 0n ? -value : value).length;
      seen.scale = Math.max(seen.scale, here);
      seen.integerDigits = Math.max(seen.integerDigits, digits - here);
    }
  }
}
