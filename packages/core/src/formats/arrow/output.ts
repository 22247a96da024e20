import {
  Binary,
  Bool,
  DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  Map_ as ArrowMap,
  Null,
  Struct,
  Time,
  TimeUnit,
  Timestamp,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
} from "apache-arrow";
import { Fault } from "../../domain/fault.ts";
import { MAX_DECIMAL_DIGITS } from "../../domain/table-schema.ts";
import type { SourceColumn } from "../../schema/enforce.ts";
import { columnTypeOf } from "../arrow-columns.ts";
import { headerNames } from "../header-names.ts";
import type { ArrowField, LeafType } from "./schema.ts";

/**
 * A column as it leaves the reader: its values laid out in one of the types that Parquet has.
 *
 * dictionary, run-end encoded, views, large  -> the plain type
 * decimal of 32, 64, 256 bits                -> 128 bits; text where 38 digits are too few
 * date in milliseconds                       -> date
 * time, timestamp in seconds                 -> milliseconds
 * duration                                   -> int64 in its own unit
 * interval                                   -> int32 months; {days, milliseconds}; {months, days, nanoseconds}
 * union                                      -> struct of its type id and one field a type, null but for the one picked
 * names of a struct's fields                 -> made unique, as those of columns are
 */
export interface Output {
  readonly field: ArrowField;
  readonly type: DataType;
  readonly children: readonly Output[];
}

export function outputOf(field: ArrowField): Output {
  const children = field.children.map(outputOf);
  return { field, children, type: typeOf(field, children) };
}

/** Names and types of columns. Throws `unsupported_format` for a type that Parquet has not. */
export function columnsOf(outputs: readonly Output[]): SourceColumn[] {
  const names = headerNames(outputs.map(({ field }) => field.name));
  return outputs.map(({ field, type }, i) => {
    const name = names[i] ?? "";
    const column = columnTypeOf(type);
    if (column !== null) return { name, type: column };
    throw new Fault("unsupported_format", `column ${JSON.stringify(name)} is of a type ${field.type.is} that is not supported`, {
      field: name,
    });
  });
}

/** The name that a union's type ids take beside its fields. */
const TYPE_ID = "type_id";

const INTS: Readonly<Record<string, () => DataType>> = {
  i8: () => new Int8(),
  i16: () => new Int16(),
  i32: () => new Int32(),
  i64: () => new Int64(),
  u8: () => new Uint8(),
  u16: () => new Uint16(),
  u32: () => new Uint32(),
  u64: () => new Uint64(),
};

export const INTERVALS = {
  days: new Struct([new Field("days", new Int32(), true), new Field("milliseconds", new Int32(), true)] as Field[]),
  nanos: new Struct([
    new Field("months", new Int32(), true),
    new Field("days", new Int32(), true),
    new Field("nanoseconds", new Int64(), true),
  ] as Field[]),
} as const;

function typeOf({ type, children: fields }: ArrowField, children: readonly Output[]): DataType {
  const child = (index: number, nullable = true) => {
    const name = fields[index]?.name ?? "";
    return new Field(name, children[index]?.type ?? new Null(), nullable);
  };
  switch (type.is) {
    case "list":
    case "spans":
      return new List(child(0));
    case "fixedlist":
      return new FixedSizeList(type.size, child(0));
    case "map":
      return new ArrowMap(child(0, false) as never);
    case "struct":
      return structOf(fields, children);
    case "union":
      return new Struct([
        new Field(headerNames([...fields.map((field) => field.name), TYPE_ID]).at(-1) ?? TYPE_ID, new Int8(), true),
        ...structOf(fields, children).children,
      ] as Field[]);
    case "runs":
      return children[1]?.type ?? new Null();
    case "null":
    case "bool":
    case "int":
    case "float":
    case "decimal":
    case "date":
    case "time":
    case "timestamp":
    case "duration":
    case "interval":
    case "utf8":
    case "utf8view":
    case "binary":
    case "binaryview":
    case "bytes":
      return leafOf(type);
  }
}

function structOf(fields: readonly ArrowField[], children: readonly Output[]): Struct {
  const names = headerNames(fields.map((field) => field.name));
  return new Struct(children.map((child, i) => new Field(names[i] ?? "", child.type, true)) as Field[]);
}

function leafOf(type: LeafType): DataType {
  switch (type.is) {
    case "null":
      return new Null();
    case "bool":
      return new Bool();
    case "int":
      return INTS[`${type.signed ? "i" : "u"}${type.bits}`]?.() ?? new Null();
    case "float":
      return type.bits === 16 ? new Float16() : type.bits === 32 ? new Float32() : new Float64();
    case "decimal":
      return isDecimal128(type) ? new Decimal(type.scale, type.precision, 128) : new Utf8();
    case "date":
      return new DateDay();
    case "time":
      return type.bits === 32 ? new Time(TimeUnit.MILLISECOND, 32) : new Time(type.unit, 64);
    case "timestamp":
      return new Timestamp(type.unit === 0 ? TimeUnit.MILLISECOND : type.unit, type.zone);
    case "duration":
      return new Int64();
    case "interval":
      return type.unit === "months" ? new Int32() : INTERVALS[type.unit];
    case "utf8":
    case "utf8view":
      return new Utf8();
    case "binary":
    case "binaryview":
      return new Binary();
    case "bytes":
      return type.width === 0 ? new Binary() : new FixedSizeBinary(type.width);
  }
}

/** Whether Parquet's decimals of 38 digits hold it; those that do not are text. */
export function isDecimal128(type: { readonly precision: number; readonly scale: number }): boolean {
  return type.precision <= MAX_DECIMAL_DIGITS && type.scale >= 0 && type.scale <= type.precision;
}
