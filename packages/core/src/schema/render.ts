import { Vector } from "apache-arrow";
import type { ColumnType } from "../domain/table-schema.ts";
import { type ColumnData, isValid } from "./column-data.ts";

/** A value as text that `coerce` reads back as the same value; null for null. */
export function textAt(data: ColumnData, type: ColumnType, row: number): string | null {
  if (!isValid(data, row)) return null;
  switch (data.form) {
    case "words":
      return wordText(data.values[row] ?? 0n, type);
    case "pairs":
      return decimalText(((data.values[row * 2 + 1] ?? 0n) << 64n) | BigInt.asUintN(64, data.values[row * 2] ?? 0n), type);
    case "doubles": {
      const value = data.values[row] ?? 0;
      return Object.is(value, -0) ? "-0.0" : String(value);
    }
    case "days":
      return dateText(data.values[row] ?? 0);
    case "bits":
      return (data.values[row >> 3] ?? 0) & (1 << (row & 7)) ? "true" : "false";
    case "bytes": {
      const bytes = data.values.subarray(data.offsets[row], data.offsets[row + 1]);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
    }
    case "nulls":
    case "nested":
      return null;
  }
}

/**
 * A value as JSON shows it: numbers as numbers where a double holds them exactly, else as text; dates and times as text;
 * nested values as arrays and objects; binary in base64.
 */
export function jsonAt(data: ColumnData, type: ColumnType, row: number): unknown {
  if (!isValid(data, row)) return null;
  if (data.form === "nested") return plain(new Vector([data.data]).get(row));
  if (data.form === "bytes" && type.kind === "binary") {
    return Buffer.from(data.values.subarray(data.offsets[row], data.offsets[row + 1])).toString("base64");
  }
  if (data.form === "bits") return textAt(data, type, row) === "true";
  if (data.form === "doubles") {
    const value = data.values[row] ?? 0;
    return Number.isFinite(value) ? value : String(value);
  }
  if (type.kind === "int64" && data.form === "words") {
    const value = Number(data.values[row] ?? 0n);
    return Number.isSafeInteger(value) ? value : textAt(data, type, row);
  }
  return textAt(data, type, row);
}

/** Arrow's rows and vectors as plain JSON. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner)) ?? "null");
}

function wordText(value: bigint, type: ColumnType): string {
  if (type.kind === "time") return clockText(value, 1_000_000n, 6);
  if (type.kind !== "timestamp") return String(value);
  const second = type.unit === "ns" ? 1_000_000_000n : 1_000_000n;
  const day = second * 86_400n;
  const days = (value - (((value % day) + day) % day)) / day;
  return `${dateText(Number(days))}T${clockText(value - days * day, second, type.unit === "ns" ? 9 : 6)}${type.zone ? "Z" : ""}`;
}

function clockText(value: bigint, second: bigint, digits: number): string {
  const seconds = Number(value / second);
  const two = (n: number) => String(n).padStart(2, "0");
  const fraction = value % second;
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return fraction === 0n ? clock : `${clock}.${String(fraction).padStart(digits, "0").replace(/0+$/, "")}`;
}

/** Years outside 0001 to 9999 are written as Date does and read back by nobody. */
function dateText(days: number): string {
  const date = new Date(days * 86_400_000);
  if (Number.isNaN(date.getTime())) return `${days} days since 1970-01-01`;
  return date.toISOString().split("T")[0] ?? "";
}

function decimalText(unscaled: bigint, type: ColumnType): string {
  const scale = type.kind === "decimal" ? type.scale : 0;
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  const sign = unscaled < 0n ? "-" : "";
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
