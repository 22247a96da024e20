import * as arrow from "apache-arrow";
import { Map_ as ArrowMap } from "apache-arrow";
import { isFacts, type Shape } from "../domain/nested-shape.ts";

const LEAVES: Readonly<Record<string, () => arrow.DataType>> = {
  // A place of nulls is written as a text: Parquet has no type for it.
  null: () => new arrow.Utf8(),
  bool: () => new arrow.Bool(),
  int8: () => new arrow.Int8(),
  int16: () => new arrow.Int16(),
  int32: () => new arrow.Int32(),
  int64: () => new arrow.Int64(),
  uint8: () => new arrow.Uint8(),
  uint16: () => new arrow.Uint16(),
  uint32: () => new arrow.Uint32(),
  uint64: () => new arrow.Uint64(),
  float16: () => new arrow.Float16(),
  float32: () => new arrow.Float32(),
  float64: () => new arrow.Float64(),
  utf8: () => new arrow.Utf8(),
  largeutf8: () => new arrow.LargeUtf8(),
  binary: () => new arrow.Binary(),
  largebinary: () => new arrow.LargeBinary(),
  date32: () => new arrow.DateDay(),
  date64: () => new arrow.DateMillisecond(),
};

/** The signature of a nested type, or null when it holds a type that Parquet parts cannot. */
export function signatureOf(type: arrow.DataType): string | null {
  const shape = shapeOf(type);
  return shape === null ? null : JSON.stringify(shape);
}

/** The Arrow type of a signature, every field nullable but map keys, no metadata. Throws on what `signatureOf` did not make. */
export function typeOfSignature(signature: string): arrow.DataType {
  return typeOfShape(JSON.parse(signature) as Shape);
}

function shapeOf(type: arrow.DataType): Shape | null {
  if (arrow.DataType.isList(type)) {
    const value = shapeOf(type.valueType);
    return value === null ? null : { list: [type.valueField.name, value] };
  }
  if (arrow.DataType.isFixedSizeList(type)) {
    const value = shapeOf(type.valueType);
    return value === null ? null : { fixed: [type.listSize, type.valueField.name, value] };
  }
  if (arrow.DataType.isStruct(type)) {
    const fields = type.children.map((field): [string, Shape | null] => [field.name, shapeOf(field.type)]);
    return fields.some(([, shape]) => shape === null) ? null : { struct: fields as [string, Shape][] };
  }
  if (arrow.DataType.isMap(type)) return mapShape(type);
  if (arrow.DataType.isDecimal(type)) return type.bitWidth === 128 ? ["decimal", type.precision, type.scale] : null;
  if (arrow.DataType.isTimestamp(type)) return ["timestamp", type.unit, type.timezone ?? null];
  if (arrow.DataType.isTime(type)) return ["time", type.unit, type.bitWidth];
  if (arrow.DataType.isFixedSizeBinary(type)) return ["bytes", type.byteWidth];
  return leafName(type);
}

function leafName(type: arrow.DataType): string | null {
  if (arrow.DataType.isNull(type)) return "null";
  if (arrow.DataType.isBool(type)) return "bool";
  if (arrow.DataType.isInt(type)) return `${type.isSigned ? "" : "u"}int${type.bitWidth}`;
  if (arrow.DataType.isFloat(type)) return ["float16", "float32", "float64"][type.precision] ?? null;
  if (arrow.DataType.isUtf8(type)) return "utf8";
  if (arrow.DataType.isLargeUtf8(type)) return "largeutf8";
  if (arrow.DataType.isBinary(type)) return "binary";
  if (arrow.DataType.isLargeBinary(type)) return "largebinary";
  if (arrow.DataType.isDate(type)) return type.unit === arrow.DateUnit.DAY ? "date32" : "date64";
  return null;
}

function mapShape(type: ArrowMap): Shape | null {
  const entries = type.children[0];
  const [key, value] = (entries?.type.children ?? []) as arrow.Field[];
  const [keyShape, valueShape] = [key && shapeOf(key.type), value && shapeOf(value.type)];
  if (!entries || !key || !value || !keyShape || !valueShape) return null;
  return { map: [entries.name, key.name, keyShape, value.name, valueShape] };
}

function typeOfShape(shape: Shape): arrow.DataType {
  if (typeof shape === "string") {
    const make = LEAVES[shape];
    if (!make) throw new Error(`no Arrow type ${shape}`);
    return make();
  }
  if (isFacts(shape)) return leafOfFacts(shape);
  if ("list" in shape) return new arrow.List(fieldOf(shape.list[0], shape.list[1]));
  if ("fixed" in shape) return new arrow.FixedSizeList(shape.fixed[0], fieldOf(shape.fixed[1], shape.fixed[2]));
  if ("struct" in shape) return new arrow.Struct(shape.struct.map(([name, type]) => fieldOf(name, type)));
  const [entries, key, keyShape, value, valueShape] = shape.map;
  const pair = new arrow.Struct<{ key: arrow.DataType; value: arrow.DataType }>([
    new arrow.Field(key, typeOfShape(keyShape), false),
    fieldOf(value, valueShape),
  ] as never);
  return new ArrowMap(new arrow.Field(entries, pair, false) as never);
}

function leafOfFacts([kind, a, b]: readonly (string | number | null)[]): arrow.DataType {
  if (kind === "decimal") return new arrow.Decimal(Number(b), Number(a), 128);
  if (kind === "timestamp") return new arrow.Timestamp(Number(a), b === null ? null : String(b));
  if (kind === "time") return new arrow.Time(Number(a), Number(b) as 32 | 64);
  if (kind === "bytes") return new arrow.FixedSizeBinary(Number(a));
  throw new Error(`no Arrow type ${kind}`);
}

function fieldOf(name: string, shape: Shape): arrow.Field {
  return new arrow.Field(name, typeOfShape(shape), true);
}
