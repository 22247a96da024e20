import type { ColumnType } from "./table-schema.ts";

const INT: ColumnType = { kind: "int64" };
const DOUBLE: ColumnType = { kind: "double" };
const TEXT: ColumnType = { kind: "text" };
const BOOL: ColumnType = { kind: "bool" };

/** Names that numpy, pandas and pyarrow have for types which ours hold; unsigned 64 bits only fit a decimal. */
const ALIASES: ReadonlyMap<string, ColumnType> = new Map<string, ColumnType>([
  ...["int8", "int64", "int16", "int32", "uint8", "uint16", "uint32", "i1", "i2", "i4", "i8", "long", "short"].map(
    (name) => [name, INT] as const,
  ),
  ...["uint64", "u8"].map((name) => [name, { kind: "decimal", precision: 20, scale: 0 } as const] as const),
  ...["double", "float", "float64", "float16", "float32", "halffloat", "half_float", "f2", "f4", "f8"].map(
    (name) => [name, DOUBLE] as const,
  ),
  ...["str", "string", "object", "category", "utf8", "large_string", "large_utf8", "string_view", "utf8_view", "unicode", "o", "u"].map(
    (name) => [name, TEXT] as const,
  ),
  ...["bool", "boolean", "bool_", "bool8"].map((name) => [name, BOOL] as const),
  ...["large_binary", "bytes"].map((name) => [name, { kind: "binary" } as const] as const),
  ...["date32", "date64"].map((name) => [name, { kind: "date" } as const] as const),
  ...["time32", "time64"].map((name) => [name, { kind: "time" } as const] as const),
  ...["datetime", "datetime64"].map((name) => [name, { kind: "timestamp", zone: false, unit: "us" } as const] as const),
]);

/**
 * A type from a name of pandas (`Int64`, `datetime64[ns, UTC]`, `string[pyarrow]`, `object`) or pyarrow (`timestamp[ms, tz=UTC]`,
 * `decimal128(10, 2)`, `date32[day]`), or null where the name is none of them. Widths are not kept: int8 is int64.
 */
export function foreignType(text: string): ColumnType | null {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/\[pyarrow(_numpy)?\]$|\[python\]$/, "");
  const alias = ALIASES.get(name);
  if (alias) return alias;
  const [, base = "", inner = ""] = /^([a-z]+\d*)\[([^\]]*)\]$/.exec(name) ?? [];
  switch (base) {
    case "timestamp":
    case "datetime64":
      return timestampOf(inner);
    case "date32":
    case "date64":
      return /^(day|ms|d)$/.test(inner) ? { kind: "date" } : null;
    case "time32":
    case "time64":
      return /^(s|ms|us|ns)$/.test(inner) ? { kind: "time" } : null;
  }
  const decimal = /^decimal(?:32|64|128|256)\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)$/.exec(name);
  if (!decimal) return null;
  const precision = Number(decimal[1]);
  const scale = Number(decimal[2]);
  return precision >= 1 && precision <= 38 && scale <= precision ? { kind: "decimal", precision, scale } : null;
}

/** `ms`, `us, tz=Europe/Paris`, `ns, UTC`: a zone makes it an instant. */
function timestampOf(inner: string): ColumnType | null {
  const parts = /^(s|ms|us|ns)(?:\s*,\s*(?:tz=)?([a-z0-9_+\-/:]+))?$/.exec(inner);
  if (!parts) return null;
  return { kind: "timestamp", zone: parts[2] !== undefined, unit: parts[1] === "ns" ? "ns" : "us" };
}
