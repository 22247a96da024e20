import { DataType, Field, Float32, Int16, Int32, Int8, List, Map_ as ArrowMap, Struct } from "apache-arrow";
import { type ColumnType, MAX_DECIMAL_DIGITS } from "../../domain/table-schema.ts";
import { Fault } from "../../domain/fault.ts";
import { arrowType } from "../../parquet/arrow-schema.ts";
import { signatureOf } from "../../schema/nested-type.ts";
import { headerNames } from "../header-names.ts";
import { beyond, damaged } from "./damage.ts";
import type { FlatType, OrcKind } from "./footer.ts";

/** A type with its children. `id` is its column in the stripes: its place in the footer's list. */
export interface OrcType {
  readonly id: number;
  readonly kind: OrcKind;
  /** Named fields of a struct; "element" of a list, "key" and "value" of a map, "_union_0", … of a union, as Arrow C++ has it. */
  readonly children: readonly OrcField[];
  readonly precision: number;
  readonly scale: number;
}

export interface OrcField {
  readonly name: string;
  readonly type: OrcType;
}

/** What is known of a leaf only from its values: the unit of a timestamp, the digits of a decimal of Hive 0.11. */
export type LeafTypes = ReadonlyMap<number, ColumnType>;

const MAX_DEPTH = 64;

/** The tree that the footer lists in pre-order. Throws where it is none, or nests deeper than 64 levels. */
export function typeTree(types: readonly FlatType[]): OrcType {
  let next = 0;
  const build = (id: number, depth: number): OrcType => {
    const type = types[id];
    if (type === undefined || id !== next) throw damaged(`its types are no tree: type ${id} where ${next} belongs`);
    if (depth > MAX_DEPTH) throw beyond("an ORC column is nested too deep", "orcDepth", depth, MAX_DEPTH);
    next++;
    const names = childNames(type);
    if (names.length !== type.subtypes.length) {
      throw damaged(`type ${id} (${type.kind}) has ${type.subtypes.length} subtypes, ${names.length} belong to it`);
    }
    const children = type.subtypes.map((child, i) => ({ name: names[i] ?? "", type: build(child, depth + 1) }));
    return { id, kind: type.kind, children, precision: type.precision, scale: type.scale };
  };
  if (types.length === 0) throw damaged("its footer lists no types");
  const root = build(0, 0);
  if (next !== types.length) throw damaged(`${types.length - next} of its ${types.length} types belong to no column`);
  return root;
}

function childNames({ kind, fieldNames, subtypes }: FlatType): readonly string[] {
  if (kind === "struct") return fieldNames;
  if (kind === "list") return ["element"];
  if (kind === "map") return ["key", "value"];
  return kind === "union" ? subtypes.map((_, i) => `_union_${i}`) : [];
}

/** The canonical type of a column. Throws `unsupported_format` for what no type of ours holds. */
export function columnTypeOf(type: OrcType, leaves: LeafTypes): ColumnType {
  const known = leaves.get(type.id);
  if (known) return known;
  switch (type.kind) {
    case "boolean":
      return { kind: "bool" };
    case "tinyint":
    case "smallint":
    case "int":
    case "bigint":
      return { kind: "int64" };
    case "float":
    case "double":
      return { kind: "double" };
    case "string":
    case "varchar":
    case "char":
      return { kind: "text" };
    case "binary":
      return { kind: "binary" };
    case "date":
      return { kind: "date" };
    case "timestamp":
      return { kind: "timestamp", zone: false, unit: "us" };
    case "timestamp_instant":
      return { kind: "timestamp", zone: true, unit: "us" };
    case "decimal":
      return decimalType(type);
    case "list":
    case "map":
    case "struct":
    case "union":
      return nestedType(type, leaves);
  }
}

function decimalType({ id, precision, scale }: OrcType): ColumnType {
  if (precision >= 1 && precision <= MAX_DECIMAL_DIGITS && scale <= precision) return { kind: "decimal", precision, scale };
  throw damaged(`type ${id} is decimal(${precision},${scale}), of which a decimal has 1 to ${MAX_DECIMAL_DIGITS} digits`);
}

function nestedType(type: OrcType, leaves: LeafTypes): ColumnType {
  const signature = signatureOf(arrowNested(type, leaves));
  if (signature === null) throw new Fault("unsupported_format", `type ${type.id} (${type.kind}) holds a type that no nested column can`);
  return { kind: "nested", signature };
}

/** The name of a union's tag, which tells the field that the value is in, as in Arrow files. */
const UNION_TAG = "type_id";
/** Tags are bytes with a sign. */
const MAX_VARIANTS = 128;

/** Inside a nested column numbers keep their width, as in Arrow and Parquet files of the same table. */
const NARROW: Readonly<Partial<Record<OrcKind, () => DataType>>> = {
  tinyint: () => new Int8(),
  smallint: () => new Int16(),
  int: () => new Int32(),
  float: () => new Float32(),
};

/** The type of a column, or of a part of a nested one, in Arrow. */
export function arrowTypeOf(type: OrcType, leaves: LeafTypes): DataType {
  if (isNested(type.kind)) return arrowNested(type, leaves);
  return NARROW[type.kind]?.() ?? arrowType(columnTypeOf(type, leaves));
}

function isNested(kind: OrcKind): boolean {
  return kind === "list" || kind === "map" || kind === "struct" || kind === "union";
}

/** A nested type in Arrow, with names of lists and maps as Parquet's specification has them. */
function arrowNested(type: OrcType, leaves: LeafTypes): DataType {
  const names = headerNames(type.children.map(({ name }) => name));
  const fields = type.children.map(({ type: child }, i) => new Field(names[i] ?? "", arrowTypeOf(child, leaves), true));
  if (type.kind === "list") return new List(fields[0] ?? missing(type));
  if (type.kind === "map") return mapType(fields[0] ?? missing(type), fields[1] ?? missing(type));
  if (type.kind === "union" && fields.length > MAX_VARIANTS) {
    throw beyond("an ORC union has too many variants", "orcVariants", fields.length, MAX_VARIANTS);
  }
  if (type.kind === "union") return new Struct([new Field(UNION_TAG, new Int8(), true), ...fields]);
  if (fields.length === 0) throw new Fault("unsupported_format", `type ${type.id} is a struct without fields, which Parquet cannot hold`);
  return new Struct(fields);
}

function mapType(key: Field, value: Field): DataType {
  const pair = new Struct<{ key: DataType; value: DataType }>([key.clone({ nullable: false }), value] as never);
  return new ArrowMap(new Field("key_value", pair, false) as never);
}

function missing(type: OrcType): never {
  throw damaged(`type ${type.id} (${type.kind}) lacks a subtype`);
}
