import type { Request } from "express";
import { Fault } from "@sluice/core/domain/fault";

/** Query or form fields: each name once. */
export type Fields = ReadonlyMap<string, string>;

/** The query's fields. Throws `unknown_field` with the list, `duplicate_field`, `invalid_field` for broken percent-encoding. */
export function queryOf(req: Request, known: readonly string[]): Fields {
  const fields = new Map<string, string>();
  const cut = req.originalUrl.indexOf("?");
  if (cut === -1) return fields;
  for (const pair of req.originalUrl.slice(cut + 1).split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = decoded(at === -1 ? pair : pair.slice(0, at), null);
    addField(fields, name, at === -1 ? "" : decoded(pair.slice(at + 1), name), known);
  }
  return fields;
}

/** Adds a field that must be one of the known ones and not there yet. */
export function addField(fields: Map<string, string>, name: string, value: string, known: readonly string[]): void {
  if (!known.includes(name)) {
    throw new Fault("unknown_field", `${name.slice(0, 100)}: there is no such field here; there are ${known.join(", ") || "none"}`, {
      field: name,
    });
  }
  if (fields.has(name)) throw new Fault("duplicate_field", `${name}: is given twice`, { field: name, value });
  fields.set(name, value);
}

function decoded(text: string, field: string | null): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new Fault("invalid_field", `${field ?? "query"}: is not well percent-encoded UTF-8`, { field: field ?? "query", value: text });
  }
}

/** A whole number between the limits, or the fallback when the field is not given. Throws `invalid_field`. */
export function intField(
  fields: Fields,
  name: string,
  range: { readonly fallback: number; readonly min: number; readonly max: number },
): number {
  const text = fields.get(name);
  if (text === undefined) return range.fallback;
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  throw new Fault("invalid_field", `${name}: must be a whole number from ${range.min} to ${range.max}`, {
    field: name,
    value: text,
    limit: range.max,
  });
}

/** `true` or `false`, or the fallback when the field is not given. Throws `invalid_field`. */
export function boolField(fields: Fields, name: string, fallback: boolean): boolean {
  const text = fields.get(name);
  if (text === undefined) return fallback;
  if (text === "true" || text === "false") return text === "true";
  throw new Fault("invalid_field", `${name}: must be true or false`, { field: name, value: text });
}
