import type { ColumnType } from "../domain/table-schema.ts";
import type { CompactWriter } from "./thrift-writer.ts";

/** Physical types of parquet.thrift that are written. */
export const PHYSICAL = { boolean: 0, int32: 1, int64: 2, double: 5, byteArray: 6, fixed: 7 } as const;

/** How a column's values lie in a page. `width` is bytes a value, 0 for booleans (bits) and byte arrays (length and bytes). */
export interface Physical {
  readonly type: (typeof PHYSICAL)[keyof typeof PHYSICAL];
  readonly width: number;
}

/**
 * The one physical type of a column, the same as parquet-wasm gives it: decimals take the narrowest of INT32, INT64 and
 * FIXED_LEN_BYTE_ARRAY that holds their digits. Nested columns have none: throws.
 */
export function physicalOf(type: ColumnType): Physical {
  switch (type.kind) {
    case "bool":
      return { type: PHYSICAL.boolean, width: 0 };
    case "date":
      return { type: PHYSICAL.int32, width: 4 };
    case "int64":
    case "time":
    case "timestamp":
      return { type: PHYSICAL.int64, width: 8 };
    case "double":
      return { type: PHYSICAL.double, width: 8 };
    case "decimal":
      return decimalOf(type.precision);
    case "unknown":
    case "text":
    case "binary":
      return { type: PHYSICAL.byteArray, width: 0 };
    case "nested":
      throw new Error("nested columns are written by parquet-wasm");
  }
}

function decimalOf(precision: number): Physical {
  // parquet-rs takes INT64 for a single digit.
  if (precision > 1 && precision <= 9) return { type: PHYSICAL.int32, width: 4 };
  if (precision <= 18) return { type: PHYSICAL.int64, width: 8 };
  // The bytes that hold 10^precision - 1 and a sign.
  return { type: PHYSICAL.fixed, width: Math.ceil((precision * Math.log2(10) + 1) / 8) };
}

const CONVERTED = { utf8: 0, decimal: 5, date: 6, timeMicros: 8, timestampMicros: 10 } as const;
const OPTIONAL = 1;

/** SchemaElement (parquet.thrift) of the root: its name is that of every Arrow writer. */
export function writeRoot(out: CompactWriter, columns: number): void {
  out.begin();
  out.text(4, "arrow_schema");
  out.i32(5, columns);
  out.end();
}

/** SchemaElement of one column: always optional, its id as the field id, with the logical and the older converted type. */
export function writeElement(out: CompactWriter, column: { readonly id: number; readonly name: string; readonly type: ColumnType }): void {
  const { type } = column;
  const physical = physicalOf(type);
  out.begin();
  out.i32(1, physical.type);
  if (physical.type === PHYSICAL.fixed) out.i32(2, physical.width);
  out.i32(3, OPTIONAL);
  out.text(4, column.name);
  const converted = convertedOf(type);
  if (converted !== null) out.i32(6, converted);
  if (type.kind === "decimal") {
    out.i32(7, type.scale);
    out.i32(8, type.precision);
  }
  out.i32(9, column.id);
  writeLogical(out, type);
  out.end();
}

/** Local timestamps have TIMESTAMP_MICROS too, as parquet-rs writes it; nanoseconds have no converted type. */
function convertedOf(type: ColumnType): number | null {
  switch (type.kind) {
    case "unknown":
    case "text":
      return CONVERTED.utf8;
    case "decimal":
      return CONVERTED.decimal;
    case "date":
      return CONVERTED.date;
    case "time":
      return CONVERTED.timeMicros;
    case "timestamp":
      return type.unit === "us" ? CONVERTED.timestampMicros : null;
    case "bool":
    case "int64":
    case "double":
    case "binary":
    case "nested":
      return null;
  }
}

/** LogicalType, a union: 1 STRING, 5 DECIMAL, 6 DATE, 7 TIME, 8 TIMESTAMP. */
function writeLogical(out: CompactWriter, type: ColumnType): void {
  const empty = (id: number) => {
    out.begin(id);
    out.end();
  };
  const timed = (id: number, utc: boolean, unit: "us" | "ns") => {
    out.begin(id);
    out.bool(1, utc);
    out.begin(2);
    empty(unit === "us" ? 2 : 3);
    out.end();
    out.end();
  };
  switch (type.kind) {
    case "bool":
    case "int64":
    case "double":
    case "binary":
    case "nested":
      return;
    case "unknown":
    case "text":
      out.begin(10);
      empty(1);
      return out.end();
    case "decimal":
      out.begin(10);
      out.begin(5);
      out.i32(1, type.scale);
      out.i32(2, type.precision);
      out.end();
      return out.end();
    case "date":
      out.begin(10);
      empty(6);
      return out.end();
    case "time":
      out.begin(10);
      timed(7, false, "us");
      return out.end();
    case "timestamp":
      out.begin(10);
      timed(8, type.zone, type.unit);
      return out.end();
  }
}
