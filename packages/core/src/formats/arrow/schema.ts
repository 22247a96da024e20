import { FlatTable } from "./flatbuffer.ts";
import { beyond, unreadable } from "./refuse.ts";

/** Seconds, milliseconds, microseconds, nanoseconds: 0 to 3, as Arrow's TimeUnit. */
export type Unit = 0 | 1 | 2 | 3;

/** Types whose values take the same number of bytes each. */
export type FixedType =
  | { readonly is: "duration" }
  | { readonly is: "int"; readonly bits: number; readonly signed: boolean }
  | { readonly is: "float"; readonly bits: number }
  | { readonly is: "decimal"; readonly bits: number; readonly precision: number; readonly scale: number }
  | { readonly is: "date"; readonly days: boolean }
  | { readonly is: "time"; readonly unit: Unit; readonly bits: number }
  | { readonly is: "timestamp"; readonly unit: Unit; readonly zone: string | null }
  | { readonly is: "interval"; readonly unit: "months" | "days" | "nanos" }
  | { readonly is: "bytes"; readonly width: number };

/** Types without others within. */
export type LeafType =
  | FixedType
  | { readonly is: "null" | "bool" | "utf8view" | "binaryview" }
  | { readonly is: "utf8" | "binary"; readonly large: boolean };

/** A logical type of Arrow's Schema.fbs. */
export type ArrowType =
  | LeafType
  | { readonly is: "struct" | "map" | "runs" }
  | { readonly is: "list" | "spans"; readonly large: boolean }
  | { readonly is: "fixedlist"; readonly size: number }
  | { readonly is: "union"; readonly dense: boolean; readonly ids: readonly number[] };

/** Bytes of a value. */
export function widthOf(type: FixedType): number {
  switch (type.is) {
    case "int":
    case "float":
    case "decimal":
    case "time":
      return type.bits / 8;
    case "date":
      return type.days ? 4 : 8;
    case "timestamp":
    case "duration":
      return 8;
    case "interval":
      return { months: 4, days: 8, nanos: 16 }[type.unit];
    case "bytes":
      return type.width;
  }
}

/** How a column's values are told by indexes into a dictionary that is sent apart. */
export interface DictionaryKey {
  readonly id: string;
  readonly bits: number;
  readonly signed: boolean;
}

export interface ArrowField {
  readonly name: string;
  readonly type: ArrowType;
  readonly children: readonly ArrowField[];
  readonly dictionary: DictionaryKey | null;
}

export interface ArrowSchema {
  readonly fields: readonly ArrowField[];
  readonly bigEndian: boolean;
}

/** Nesting is followed recursively, here and wherever values are read. */
export const MAX_DEPTH = 32;

/** Fields of all levels: tables may share a child, so a few bytes can stand for millions of fields. */
interface Visit {
  readonly columns: number;
  fields: number;
}

/** Schema: 0 endianness, 1 fields. Throws `unreadable`, and `limit_exceeded` beyond `columns` fields. */
export function readSchema(table: FlatTable, columns: number): ArrowSchema {
  const fields = table.tables(1);
  if (fields.length > columns)
    beyond("columns", `the file has ${fields.length} columns, at most ${columns} are allowed`, fields.length, columns);
  const visit = { columns, fields: 0 };
  return { bigEndian: table.int16(0) === 1, fields: fields.map((field) => readField(field, visit, 0)) };
}

/** Field: 0 name, 2 type_type, 3 type, 4 dictionary, 5 children. */
function readField(table: FlatTable, visit: Visit, depth: number): ArrowField {
  if (depth > MAX_DEPTH) beyond("depth", `columns are nested more than ${MAX_DEPTH} deep`, depth, MAX_DEPTH);
  if (++visit.fields > visit.columns * 2) {
    beyond("columns", `the file has more than ${visit.columns * 2} columns and nested fields`, visit.fields, visit.columns * 2);
  }
  const children = table.tables(5).map((child) => readField(child, visit, depth + 1));
  const type = readType(table.uint8(2), table.table(3), children.length);
  checkChildren(type, children);
  return { name: table.text(0) ?? "", type, children, dictionary: readDictionary(table.table(4)) };
}

/** DictionaryEncoding: 0 id, 1 indexType (signed 32 bits where absent). */
function readDictionary(table: FlatTable | null): DictionaryKey | null {
  if (table === null) return null;
  const index = table.table(1);
  const type = index === null ? { bits: 32, signed: true } : { bits: bits(index.int32(0), [8, 16, 32, 64]), signed: index.bool(1) };
  return { id: String(table.int64(0)), ...type };
}

function bits(value: number, allowed: readonly number[]): number {
  if (!allowed.includes(value)) unreadable(`a type of ${value} bits, where there are ${allowed.join(", ")}`);
  return value;
}

function unit(value: number): Unit {
  if (value < 0 || value > 3) unreadable(`a time unit ${value}`);
  return value as Unit;
}

/** Numbers are those of the union Type in Schema.fbs. */
function readType(tag: number, table: FlatTable | null, children: number): ArrowType {
  if (table === null) return unreadable("a field has no type");
  switch (tag) {
    case 1:
      return { is: "null" };
    case 2:
      return { is: "int", bits: bits(table.int32(0), [8, 16, 32, 64]), signed: table.bool(1) };
    case 3:
      return { is: "float", bits: [16, 32, 64][table.int16(0)] ?? unreadable("a float of unknown precision") };
    case 4:
    case 19:
      return { is: "binary", large: tag === 19 };
    case 5:
    case 20:
      return { is: "utf8", large: tag === 20 };
    case 6:
      return { is: "bool" };
    case 7:
      return readDecimal(table);
    case 8:
      return { is: "date", days: table.int16(0, 1) === 0 };
    case 9:
      return readTime(unit(table.int16(0, 1)), table.int32(1, 32));
    case 10:
      return { is: "timestamp", unit: unit(table.int16(0)), zone: table.text(1) || null };
    case 11:
      return { is: "interval", unit: (["months", "days", "nanos"] as const)[table.int16(0)] ?? unreadable("an interval of unknown unit") };
    case 12:
    case 21:
      return { is: "list", large: tag === 21 };
    case 13:
      return { is: "struct" };
    case 14:
      return readUnion(table, children);
    case 15:
      return { is: "bytes", width: width(table.int32(0)) };
    case 16:
      return { is: "fixedlist", size: width(table.int32(0)) };
    case 17:
      return { is: "map" };
    case 18:
      return { is: "duration" };
    case 22:
      return { is: "runs" };
    case 23:
      return { is: "binaryview" };
    case 24:
      return { is: "utf8view" };
    case 25:
    case 26:
      return { is: "spans", large: tag === 26 };
    default:
      return unreadable(`a type of the unknown number ${tag}`);
  }
}

/** Decimal: 0 precision, 1 scale, 2 bitWidth (128 where absent). */
function readDecimal(table: FlatTable): ArrowType {
  const width = bits(table.int32(2, 128), [32, 64, 128, 256]);
  const precision = table.int32(0);
  const most = { 32: 9, 64: 18, 128: 38, 256: 76 }[width] ?? 0;
  if (precision < 1 || precision > most) unreadable(`a decimal of ${width} bits with ${precision} digits`);
  const scale = table.int32(1);
  if (Math.abs(scale) > 1_000) unreadable(`a decimal with ${scale} digits after the point`);
  return { is: "decimal", bits: width, precision, scale };
}

function readTime(unit: Unit, width: number): ArrowType {
  if (width !== (unit < 2 ? 32 : 64)) unreadable(`a time of day in unit ${unit} with ${width} bits`);
  return { is: "time", unit, bits: width };
}

function readUnion(table: FlatTable, children: number): ArrowType {
  const ids = table.int32s(1) ?? Array.from({ length: children }, (_, i) => i);
  if (ids.length !== children || new Set(ids).size !== ids.length || ids.some((id) => id < 0 || id > 127)) {
    unreadable(`a union of ${children} types with the ids ${ids.slice(0, 8).join(", ")}`);
  }
  return { is: "union", dense: table.int16(0) === 1, ids };
}

function width(value: number): number {
  if (value < 0) unreadable(`a fixed size of ${value}`);
  return value;
}

function checkChildren(type: ArrowType, children: readonly ArrowField[]): void {
  const want = (count: number): void => {
    if (children.length !== count) unreadable(`a type ${type.is} with ${children.length} children, it has ${count}`);
  };
  switch (type.is) {
    case "list":
    case "spans":
    case "fixedlist":
      return want(1);
    case "map": {
      want(1);
      const entries = children[0];
      if (entries?.type.is !== "struct" || entries.children.length !== 2 || entries.dictionary) unreadable("a map without keys and values");
      return;
    }
    case "runs": {
      want(2);
      const ends = children[0]?.type;
      if (ends?.is !== "int" || !ends.signed || ends.bits === 8 || children[0]?.dictionary)
        unreadable("run ends that are no whole numbers");
      return;
    }
    case "struct":
    case "union":
      return;
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
    case "binary":
    case "utf8view":
    case "binaryview":
    case "bytes":
      return want(0);
  }
}
