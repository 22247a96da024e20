import { type Data, DataType, Precision, TimeUnit } from "apache-arrow";
import type { ColumnType } from "../../../packages/core/src/domain/table-schema.ts";
import { type ColumnData, isValid } from "../../../packages/core/src/schema/column-data.ts";
import { decimal, type Value } from "./golden-json.ts";

/** The values of a column that a format gave, in the terms of `golden-json.ts`. */
export function valuesOf(column: ColumnData, type: ColumnType | null): Value[] {
  return Array.from({ length: column.rows }, (_, row) =>
    column.form === "nested" || isValid(column, row) ? flatValue(column, type, row) : null,
  );
}

function flatValue(column: ColumnData, type: ColumnType | null, row: number): Value {
  switch (column.form) {
    case "nulls":
      return null;
    case "words": {
      const value = column.values[row] ?? 0n;
      if (type?.kind === "time" || (type?.kind === "timestamp" && type.unit === "us")) return value * 1_000n;
      return value;
    }
    case "pairs": {
      const value = ((column.values[row * 2 + 1] ?? 0n) << 64n) | BigInt.asUintN(64, column.values[row * 2] ?? 0n);
      const scale = type?.kind === "decimal" ? type.scale : 0;
      // Whole numbers beyond 63 bits stand in a decimal without a fraction.
      return scale === 0 && type?.kind === "decimal" && type.precision === 38 ? value : decimal(String(value), scale);
    }
    case "doubles":
      return column.values[row] ?? 0;
    case "days":
      return BigInt(column.values[row] ?? 0);
    case "bits":
      return ((column.values[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
    case "bytes":
      return cell(column.values.subarray(column.offsets[row], column.offsets[row + 1]), type?.kind === "text");
    case "nested":
      return nestedValue(column.data, row);
  }
}

function cell(bytes: Uint8Array, text: boolean): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return text ? buffer.toString("utf8") : `0x${buffer.toString("hex")}`;
}

/** Walks the buffers of an Arrow Data, without a getter of the library's. */
function nestedValue(data: Data, row: number): Value {
  const { type } = data;
  if (DataType.isNull(type)) return null;
  const bitmap = data.nullBitmap;
  if (data.nullCount > 0 && bitmap.length > 0 && ((bitmap[(row + data.offset) >> 3] ?? 0) & (1 << ((row + data.offset) & 7))) === 0)
    return null;
  const child = (i: number, at: number): Value => {
    const within = data.children[i];
    if (!within) throw new Error("no child");
    return nestedValue(within, at);
  };
  if (DataType.isStruct(type)) return data.children.map((_, i) => child(i, row));
  if (DataType.isFixedSizeList(type)) return Array.from({ length: type.listSize }, (_, k) => child(0, row * type.listSize + k));
  if (DataType.isList(type) || DataType.isMap(type)) {
    const [from, to] = [Number(data.valueOffsets[row]), Number(data.valueOffsets[row + 1])];
    return Array.from({ length: to - from }, (_, k) => child(0, from + k));
  }
  return leafValue(data, row);
}

function leafValue(data: Data, row: number): Value {
  const { type } = data;
  const values = data.values as ArrayLike<number | bigint> & Uint8Array;
  if (DataType.isBool(type)) return ((values[(row + data.offset) >> 3] ?? 0) & (1 << ((row + data.offset) & 7))) !== 0;
  if (DataType.isFloat(type)) return type.precision === Precision.HALF ? half(Number(values[row])) : Number(values[row]);
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    return cell(values.subarray(Number(data.valueOffsets[row]), Number(data.valueOffsets[row + 1])), DataType.isUtf8(type));
  }
  if (DataType.isFixedSizeBinary(type)) return cell(values.subarray(row * type.byteWidth, (row + 1) * type.byteWidth), false);
  if (DataType.isDecimal(type)) {
    const words = values as unknown as Uint32Array;
    let value = BigInt((words[row * 4 + 3] ?? 0) | 0);
    for (let k = 2; k >= 0; k--) value = (value << 32n) | BigInt(words[row * 4 + k] ?? 0);
    return decimal(String(value), type.scale);
  }
  const value = BigInt(values[row] ?? 0);
  if (!DataType.isTime(type) && !DataType.isTimestamp(type)) return value;
  return (
    value *
    ({ [TimeUnit.SECOND]: 10n ** 9n, [TimeUnit.MILLISECOND]: 10n ** 6n, [TimeUnit.MICROSECOND]: 1_000n, [TimeUnit.NANOSECOND]: 1n }[
      type.unit
    ] ?? 0n)
  );
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * 2 ** -24 * fraction : sign * 2 ** (exponent - 25) * (1024 + fraction);
}
