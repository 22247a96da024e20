import { Data, DataType, DateUnit, Precision, TimeUnit, type TypeMap, Vector } from "apache-arrow";
import { type ColumnType, MAX_DECIMAL_DIGITS } from "../domain/table-schema.ts";
import { allNull, type ColumnData, isValid, pickRows, Validity } from "../schema/column-data.ts";
import { signatureOf } from "../schema/nested-type.ts";

/** The canonical type of an Arrow type; null for one that has none (unions, intervals). */
export function columnTypeOf(type: DataType): ColumnType | null {
  if (DataType.isNull(type)) return { kind: "unknown" };
  if (DataType.isBool(type)) return { kind: "bool" };
  if (DataType.isInt(type)) {
    return type.isSigned || type.bitWidth < 64 ? { kind: "int64" } : { kind: "decimal", precision: MAX_DECIMAL_DIGITS, scale: 0 };
  }
  if (DataType.isFloat(type)) return { kind: "double" };
  if (DataType.isDecimal(type)) {
    return type.precision <= MAX_DECIMAL_DIGITS && type.scale >= 0 && type.scale <= type.precision
      ? { kind: "decimal", precision: type.precision, scale: type.scale }
      : { kind: "text" };
  }
  if (DataType.isDate(type)) return { kind: "date" };
  if (DataType.isTime(type)) return { kind: "time" };
  if (DataType.isTimestamp(type)) {
    return { kind: "timestamp", zone: Boolean(type.timezone), unit: type.unit === TimeUnit.NANOSECOND ? "ns" : "us" };
  }
  if (DataType.isDuration(type)) return { kind: "int64" };
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)) return { kind: "text" };
  if (DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isBinaryView(type) || DataType.isFixedSizeBinary(type)) {
    return { kind: "binary" };
  }
  if (DataType.isDictionary(type)) return columnTypeOf(type.dictionary);
  const signature = signatureOf(type);
  return signature === null ? null : { kind: "nested", signature };
}

/** One column of a record batch in canonical form, in memory of its own. */
export function columnDataOf(data: Data): ColumnData {
  const rows = data.length;
  const { type } = data;
  if (DataType.isNull(type) || (rows > 0 && data.nullCount === rows)) return allNull(rows);
  if (DataType.isDictionary(type)) return dictionaryColumn(data);
  if (columnTypeOf(type)?.kind === "nested") return { form: "nested", rows, nulls: data.nullCount, validity: null, data };
  const facts = validityOf(data);
  const vector = new Vector([data]);
  if (DataType.isBool(type)) {
    const values = new Uint8Array((rows + 7) >> 3);
    for (let i = 0; i < rows; i++) if (vector.get(i)) values[i >> 3] = (values[i >> 3] ?? 0) | (1 << (i & 7));
    return { ...facts, form: "bits", values };
  }
  if (DataType.isFloat(type)) {
    const values =
      type.precision === Precision.HALF
        ? Float64Array.from(vector, (v) => Number(v ?? 0))
        : new Float64Array((data.values as Float64Array).subarray(0, rows));
    return { ...facts, form: "doubles", values };
  }
  if (DataType.isDate(type)) return { ...facts, form: "days", values: daysOf(data, type.unit === DateUnit.DAY) };
  if (DataType.isDecimal(type))
    return type.precision <= MAX_DECIMAL_DIGITS && type.scale >= 0
      ? { ...facts, form: "pairs", values: pairsOf(data, type.bitWidth) }
      : textColumn(vector, facts);
  if (DataType.isInt(type) && !type.isSigned && type.bitWidth === 64) {
    const words = data.values as BigUint64Array;
    const values = new BigInt64Array(rows * 2);
    const unsigned = new BigUint64Array(values.buffer);
    for (let i = 0; i < rows; i++) unsigned[i * 2] = words[i] ?? 0n;
    return { ...facts, form: "pairs", values };
  }
  if (DataType.isInt(type) || DataType.isTime(type) || DataType.isTimestamp(type) || DataType.isDuration(type)) {
    return { ...facts, form: "words", values: wordsOf(data) };
  }
  return bytesColumn(data, vector, facts);
}

type Facts = { rows: number; nulls: number; validity: Uint8Array | null };

function validityOf(data: Data): Facts {
  if (data.nullCount === 0) return { rows: data.length, nulls: 0, validity: null };
  if (data.offset === 0 && data.nullBitmap.length >= (data.length + 7) >> 3) {
    return { rows: data.length, nulls: data.nullCount, validity: data.nullBitmap.slice(0, (data.length + 7) >> 3) };
  }
  const validity = new Validity(data.length);
  for (let i = 0; i < data.length; i++) if (!data.getValid(i)) validity.clear(i);
  return validity.facts(data.length);
}

/** Whole numbers of any width, and times, in the unit of their canonical type. */
function wordsOf(data: Data): BigInt64Array {
  const { type } = data;
  const raw = data.values as ArrayLike<number> | BigInt64Array;
  const words = raw instanceof BigInt64Array ? raw.slice(0, data.length) : widened(raw, data.length);
  const unit = DataType.isTime(type) || DataType.isTimestamp(type) ? type.unit : TimeUnit.MICROSECOND;
  if (unit === TimeUnit.SECOND) return words.map((v) => v * 1_000_000n);
  if (unit === TimeUnit.MILLISECOND) return words.map((v) => v * 1_000n);
  return unit === TimeUnit.NANOSECOND && DataType.isTime(type) ? words.map((v) => v / 1_000n) : words;
}

/** Whole numbers of at most 32 bits as 64, by halves: no BigInt is made for a value. */
function widened(raw: ArrayLike<number>, rows: number): BigInt64Array {
  const halves = new Int32Array(rows * 2);
  const signed = !(raw instanceof Uint32Array);
  for (let i = 0; i < rows; i++) {
    const value = raw[i] ?? 0;
    halves[i * 2] = value;
    if (signed) halves[i * 2 + 1] = value >> 31;
  }
  return new BigInt64Array(halves.buffer);
}

/** How many values of a column have digits that `columnDataOf` leaves out: times of day are kept to the microsecond. */
export function cutIn(data: Data): number {
  const { type } = data;
  if (!DataType.isTime(type) || type.unit !== TimeUnit.NANOSECOND) return 0;
  const values = data.values as BigInt64Array;
  let cut = 0;
  for (let i = 0; i < data.length; i++) if (data.getValid(i) && (values[i] ?? 0n) % 1_000n !== 0n) cut++;
  return cut;
}

function daysOf(data: Data, days: boolean): Int32Array {
  if (days) return (data.values as Int32Array).slice(0, data.length);
  const millis = new BigInt64Array((data.values as BigInt64Array).slice(0).buffer);
  return Int32Array.from({ length: data.length }, (_, i) => Math.floor(Number(millis[i] ?? 0n) / 86_400_000));
}

/** Decimals are little-endian words of 32 bits; of 256 bits the low half holds every value of up to 38 digits. */
function pairsOf(data: Data, bitWidth: number): BigInt64Array {
  const all = new BigInt64Array((data.values as Uint32Array).slice(0, (data.length * bitWidth) / 32).buffer);
  if (bitWidth === 128) return all;
  const values = new BigInt64Array(data.length * 2);
  const words = bitWidth / 64;
  for (let i = 0; i < data.length; i++) {
    const low = all[i * words] ?? 0n;
    values[i * 2] = words >= 1 ? low : 0n;
    values[i * 2 + 1] = words >= 2 ? (all[i * words + 1] ?? 0n) : low >> 63n;
  }
  return values;
}

function bytesColumn(data: Data, vector: Vector, facts: Facts): ColumnData {
  const { type } = data;
  if ((DataType.isUtf8(type) || DataType.isBinary(type)) && data.valueOffsets instanceof Int32Array) {
    const from = data.valueOffsets[0] ?? 0;
    const offsets = data.valueOffsets.slice(0, data.length + 1).map((offset) => offset - from);
    return { ...facts, form: "bytes", offsets, values: (data.values as Uint8Array).slice(from, from + (offsets[data.length] ?? 0)) };
  }
  if (DataType.isFixedSizeBinary(type)) {
    const offsets = Int32Array.from({ length: data.length + 1 }, (_, i) => i * type.byteWidth);
    return { ...facts, form: "bytes", offsets, values: (data.values as Uint8Array).slice(0, offsets[data.length]) };
  }
  const cells = Array.from({ length: data.length }, (_, i): Uint8Array => {
    const value: unknown = vector.get(i);
    return value instanceof Uint8Array ? value : Buffer.from(typeof value === "string" ? value : "");
  });
  return joined(cells, facts);
}

function textColumn(vector: Vector, facts: Facts): ColumnData {
  return joined(
    Array.from(vector, (value) => Buffer.from(value === null ? "" : String(value))),
    facts,
  );
}

function joined(cells: readonly Uint8Array[], facts: Facts): ColumnData {
  const offsets = new Int32Array(cells.length + 1);
  cells.forEach((cell, i) => {
    offsets[i + 1] = (offsets[i] ?? 0) + cell.length;
  });
  return { ...facts, form: "bytes", offsets, values: new Uint8Array(Buffer.concat(cells)) };
}

function dictionaryColumn(data: Data): ColumnData {
  const chunks = (data.dictionary as Vector<TypeMap[keyof TypeMap]> | undefined)?.memoize().data ?? [];
  if (chunks.length !== 1 || !chunks[0]) throw new Error("a dictionary of several chunks");
  const values = columnDataOf(chunks[0]);
  const indices = data.values as ArrayLike<number | bigint>;
  const keys = Array.from({ length: data.length }, (_, i) => (data.getValid(i) ? Number(indices[i] ?? 0) : -1));
  const picked = pickRows(
    values,
    keys.map((key) => Math.max(key, 0)),
  );
  if (picked.form === "nulls") return picked;
  const validity = new Validity(data.length);
  keys.forEach((key, i) => {
    if (key < 0 || !isValid(picked, i)) validity.clear(i);
  });
  return { ...picked, ...validity.facts(data.length) };
}
