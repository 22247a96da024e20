/**
 * A nested type as JSON, so that equal types have equal signatures and a part without values can still be written:
 * "int64", ["decimal",38,2], {"list":["item",T]}, {"fixed":[3,"item",T]}, {"struct":[["a",T],["b",T]]}, {"map":["entries","key",K,"value",V]}.
 * "null" is a place of which only nulls are known.
 */
export type Shape =
  | string
  | readonly (string | number | null)[]
  | { readonly list: readonly [string, Shape] }
  | { readonly fixed: readonly [number, string, Shape] }
  | { readonly struct: readonly (readonly [string, Shape])[] }
  | { readonly map: readonly [string, string, Shape, string, Shape] };

const INTEGERS: ReadonlySet<unknown> = new Set(["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"]);
const FLOATS: ReadonlySet<unknown> = new Set(["float16", "float32", "float64"]);

/**
 * The signature of a nested type that holds every value of both: structs with the fields of both, lists of what holds their
 * elements, wider numbers, anything for a place of nulls. null where there is none, as for a text and a number.
 */
export function mergeSignatures(a: string, b: string): string | null {
  const merged = merge(JSON.parse(a) as Shape, JSON.parse(b) as Shape);
  return merged === null ? null : JSON.stringify(merged);
}

function merge(a: Shape, b: Shape): Shape | null {
  if (JSON.stringify(a) === JSON.stringify(b) || b === "null") return a;
  if (a === "null") return b;
  if (INTEGERS.has(a) && INTEGERS.has(b)) return "int64";
  if ((INTEGERS.has(a) || FLOATS.has(a)) && (INTEGERS.has(b) || FLOATS.has(b))) return "float64";
  if (typeof a === "string" || typeof b === "string" || isFacts(a) || isFacts(b)) return null;
  if ("list" in a && "list" in b) {
    const element = merge(a.list[1], b.list[1]);
    return element === null ? null : { list: [a.list[0], element] };
  }
  return "struct" in a && "struct" in b ? mergeFields(a.struct, b.struct) : null;
}

function mergeFields(a: readonly (readonly [string, Shape])[], b: readonly (readonly [string, Shape])[]): Shape | null {
  const others = new Map(b);
  const fields: (readonly [string, Shape])[] = [];
  for (const [name, shape] of a) {
    const other = others.get(name);
    const merged = other === undefined ? shape : merge(shape, other);
    if (merged === null) return null;
    fields.push([name, merged]);
    others.delete(name);
  }
  return { struct: [...fields, ...others] };
}

export function isFacts(shape: Shape): shape is readonly (string | number | null)[] {
  return Array.isArray(shape);
}
