import type { Data, DataType } from "apache-arrow";
import { dataOf, type Facts, int32s, isValidAt, type Taking } from "./data.ts";
import { unreadable } from "./refuse.ts";

interface DecimalType {
  readonly bits: number;
  readonly precision: number;
  readonly scale: number;
}

/** Decimals of 32, 64, 128 or 256 bits as 128: four words a value. A value with more digits than its type makes the file unreadable. */
export function wideDecimals(bytes: Uint8Array, type: DecimalType, facts: Facts, taking: Taking): Uint32Array {
  const words = int32s(bytes);
  const stride = type.bits / 32;
  const out = type.bits === 128 ? words : new Int32Array(facts.rows * 4);
  const limit = 10n ** BigInt(type.precision);
  // A value whose upper words only repeat its sign has at most 63 bits: nothing to check from 19 digits on.
  const small = type.precision >= 19;
  for (let i = 0; i < facts.rows; i++) {
    if (!isValidAt(facts, i)) continue;
    const sign = (words[(i + 1) * stride - 1] ?? 0) >> 31;
    if (out !== words) for (let k = 0; k < 4; k++) out[i * 4 + k] = k < stride ? (words[i * stride + k] ?? 0) : sign;
    if (small && stride <= 2) continue;
    if (
      small &&
      words[i * stride + 2] === sign &&
      words[i * stride + 3] === sign &&
      stride === 4 &&
      (words[i * stride + 1] ?? 0) >> 31 === sign
    )
      continue;
    const value = unscaled(words, i * stride, stride);
    if (value >= limit || value <= -limit) {
      return unreadable(
        `column ${JSON.stringify(taking.column)} is decimal(${type.precision},${type.scale}) and has a value of more digits`,
      );
    }
  }
  return new Uint32Array(out.buffer, out.byteOffset, out.length);
}

/** Decimals beyond 38 digits as text: every digit is kept. */
export function decimalText(bytes: Uint8Array, type: DecimalType, output: DataType, facts: Facts, taking: Taking): Data {
  const words = int32s(bytes);
  const stride = type.bits / 32;
  const limit = 10n ** BigInt(type.precision);
  const offsets = new Int32Array(facts.rows + 1);
  const parts: Buffer[] = [];
  let total = 0;
  for (let i = 0; i < facts.rows; i++) {
    if (isValidAt(facts, i)) {
      const value = unscaled(words, i * stride, stride);
      if (value >= limit || value <= -limit)
        unreadable(`column ${JSON.stringify(taking.column)} has a decimal of more than ${type.precision} digits`);
      const text = Buffer.from(written(value, type.scale), "latin1");
      taking.spend(text.length);
      parts.push(text);
      total += text.length;
    }
    offsets[i + 1] = total;
  }
  const all = Buffer.concat(parts, total);
  return dataOf(output, facts, offsets, new Uint8Array(all.buffer, all.byteOffset, total));
}

function unscaled(words: Int32Array, from: number, count: number): bigint {
  let value = BigInt(words[from + count - 1] ?? 0);
  for (let k = count - 2; k >= 0; k--) value = (value << 32n) | BigInt((words[from + k] ?? 0) >>> 0);
  return value;
}

/** 12345 with scale 2 is 123.45, with scale -2 1234500. */
export function written(value: bigint, scale: number): string {
  const sign = value < 0n ? "-" : "";
  const digits = String(value < 0n ? -value : value);
  if (scale <= 0) return value === 0n ? "0" : `${sign}${digits}${"0".repeat(-scale)}`;
  const padded = digits.padStart(scale + 1, "0");
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}
