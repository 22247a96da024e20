import { Fault } from "./fault.ts";
import { mergeSignatures } from "./nested-shape.ts";

/**
 * The logical type of a column and, one to one, its physical Parquet type:
 * unknown (only nulls seen so far; UTF8), bool, int64, decimal (INT32, INT64 or FIXED_LEN_BYTE_ARRAY by its digits, at most 38), double,
 * date (INT32 days), time (INT64 microseconds since midnight), timestamp (INT64 since 1970; `zone` true: an instant in UTC,
 * false: a local time), text (UTF8), binary, nested (an Arrow type kept as it came, told apart by its signature).
 */
export type ColumnType =
  | { readonly kind: "unknown" }
  | { readonly kind: "bool" }
  | { readonly kind: "int64" }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "double" }
  | { readonly kind: "date" }
  | { readonly kind: "time" }
  | { readonly kind: "timestamp"; readonly zone: boolean; readonly unit: "us" | "ns" }
  | { readonly kind: "text" }
  | { readonly kind: "binary" }
  | { readonly kind: "nested"; readonly signature: string };

/**
 * What the numbers of a column need, merged over every file that fed it, so that a later widening can choose a type
 * that holds them all: digits before the point, digits after it, and whether a double holds every value exactly.
 */
export interface NumericFacts {
  readonly integerDigits: number;
  readonly scale: number;
  readonly doubleExact: boolean;
}

/** One column. `id` never changes and is the Parquet field_id; a declared type is never widened by a file. */
export interface Column {
  readonly id: number;
  readonly name: string;
  readonly type: ColumnType;
  readonly declared: boolean;
  readonly numbers?: NumericFacts;
}

/** The schema of one table of a generation. Every column is nullable. `lastId` is the highest column id ever given. */
export interface TableSchema {
  readonly columns: readonly Column[];
  readonly lastId: number;
}

export type TableSchemas = Readonly<Record<string, TableSchema>>;

/** A table's schema by its name. A sheet may be called `constructor` or `__proto__`: only own properties are tables. */
export function tableOf(schemas: TableSchemas, table: string): TableSchema | undefined {
  return Object.hasOwn(schemas, table) ? schemas[table] : undefined;
}

/** The schemas with one table's put in. */
export function withTable(schemas: TableSchemas, table: string, schema: TableSchema): TableSchemas {
  // Assigning to __proto__ would not make a property; a computed name in a literal does.
  return { ...schemas, [table]: schema };
}

export const MAX_DECIMAL_DIGITS = 38;
export const MAX_COLUMNS = 16_384;
export const NO_NUMBERS: NumericFacts = { integerDigits: 0, scale: 0, doubleExact: true };

export function mergeNumbers(a: NumericFacts, b: NumericFacts): NumericFacts {
  return {
    integerDigits: Math.max(a.integerDigits, b.integerDigits),
    scale: Math.max(a.scale, b.scale),
    doubleExact: a.doubleExact && b.doubleExact,
  };
}

/** The name of a type as it is written in JSON, logs and requests: `int64`, `decimal(38,2)`, `timestamp`, `timestamptz`, … */
export function typeName(type: ColumnType): string {
  switch (type.kind) {
    case "decimal":
      return `decimal(${type.precision},${type.scale})`;
    case "timestamp":
      return `timestamp${type.zone ? "tz" : ""}${type.unit === "ns" ? "_ns" : ""}`;
    case "nested":
      return type.signature;
    case "unknown":
    case "bool":
    case "int64":
    case "double":
    case "date":
    case "time":
    case "text":
    case "binary":
      return type.kind;
  }
}

const SIMPLE: Readonly<Record<string, ColumnType>> = {
  bool: { kind: "bool" },
  boolean: { kind: "bool" },
  int64: { kind: "int64" },
  int: { kind: "int64" },
  integer: { kind: "int64" },
  bigint: { kind: "int64" },
  double: { kind: "double" },
  float64: { kind: "double" },
  float: { kind: "double" },
  date: { kind: "date" },
  time: { kind: "time" },
  timestamp: { kind: "timestamp", zone: false, unit: "us" },
  timestamptz: { kind: "timestamp", zone: true, unit: "us" },
  timestamp_ns: { kind: "timestamp", zone: false, unit: "ns" },
  timestamptz_ns: { kind: "timestamp", zone: true, unit: "ns" },
  text: { kind: "text" },
  string: { kind: "text" },
  binary: { kind: "binary" },
};

/** A type from its name. Throws `invalid_field` naming the types there are. */
export function parseType(text: string, field: string): ColumnType {
  const name = text.trim().toLowerCase();
  const simple = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
  if (simple) return simple;
  const decimal = /^decimal\((\d{1,2}),\s*(\d{1,2})\)$/.exec(name);
  if (decimal) {
    const precision = Number(decimal[1]);
    const scale = Number(decimal[2]);
    if (precision >= 1 && precision <= MAX_DECIMAL_DIGITS && scale <= precision) return { kind: "decimal", precision, scale };
    throw new Fault("invalid_field", `${field}: a decimal has 1 to ${MAX_DECIMAL_DIGITS} digits and no more after the point than in all`, {
      field,
      value: text,
    });
  }
  throw new Fault(
    "invalid_field",
    `${field}: no such type; there are bool, int64, decimal(p,s), double, date, time, timestamp, timestamptz, text, binary`,
    { field, value: text },
  );
}

export function sameType(a: ColumnType, b: ColumnType): boolean {
  return typeName(a) === typeName(b);
}

/** True when parts written under either schema may be published under the other: same ids, names and types in the same order. */
export function sameShape(a: TableSchema, b: TableSchema): boolean {
  return (
    a.columns.length === b.columns.length &&
    a.columns.every((column, i) => {
      const other = b.columns[i];
      return other !== undefined && column.id === other.id && column.name === other.name && sameType(column.type, other.type);
    })
  );
}

/**
 * The narrowest type that holds every value of both, or null where there is none.
 * Text is not a widening of anything: across files nothing widens to it.
 */
export function widen(a: ColumnType, b: ColumnType, numbers: NumericFacts): ColumnType | null {
  if (sameType(a, b)) return a;
  if (a.kind === "unknown") return b;
  if (b.kind === "unknown") return a;
  if (isNumeric(a) && isNumeric(b)) return numericFor(a, b, numbers);
  if (a.kind === "nested" && b.kind === "nested") {
    const signature = mergeSignatures(a.signature, b.signature);
    return signature === null ? null : { kind: "nested", signature };
  }
  if (a.kind === "date" && b.kind === "timestamp") return b.zone ? null : b;
  if (b.kind === "date" && a.kind === "timestamp") return a.zone ? null : a;
  if (a.kind === "timestamp" && b.kind === "timestamp" && a.zone === b.zone) return { kind: "timestamp", zone: a.zone, unit: "ns" };
  return null;
}

export function isNumeric(type: ColumnType): boolean {
  return type.kind === "int64" || type.kind === "decimal" || type.kind === "double";
}

function numericFor(a: ColumnType, b: ColumnType, numbers: NumericFacts): ColumnType | null {
  const scale = Math.max(numbers.scale, a.kind === "decimal" ? a.scale : 0, b.kind === "decimal" ? b.scale : 0);
  const decimal: ColumnType | null =
    numbers.integerDigits + scale <= MAX_DECIMAL_DIGITS ? { kind: "decimal", precision: MAX_DECIMAL_DIGITS, scale } : null;
  const anyDouble = a.kind === "double" || b.kind === "double";
  if (!anyDouble) return decimal;
  return numbers.doubleExact ? { kind: "double" } : decimal;
}
