import { Fault } from "@sluice/core/domain/fault";
import { type Fields, intField } from "./query.ts";

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;
/** The furthest a list by `from` goes: skipping rows costs their number, and a client that needs more has a cursor. */
export const MAX_FROM = 1_000_000_000;

/** What a cursor holds; `kind` keeps one list's cursor out of another. */
type CursorFields = Readonly<Record<string, string | number | boolean | null>>;

/** An opaque cursor. Nothing in it is trusted when it comes back. */
export function toCursor(kind: string, fields: CursorFields): string {
  return Buffer.from(JSON.stringify({ kind, ...fields })).toString("base64url");
}

/** The fields of a cursor of this kind, or null when none is given. Throws `invalid_field`. */
export function fromCursor(kind: string, query: Fields): Readonly<Record<string, unknown>> | null {
  const text = query.get("cursor");
  if (text === undefined) return null;
  try {
    const fields: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (typeof fields === "object" && fields !== null && (fields as Record<string, unknown>)["kind"] === kind)
      return fields as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw badCursor(text);
}

export function badCursor(text: string): Fault {
  return new Fault("invalid_field", "cursor: must be the `next` of an earlier answer to the same list", { field: "cursor", value: text });
}

/** How many items a page has. */
export function limitOf(query: Fields): number {
  return intField(query, "limit", { fallback: DEFAULT_LIMIT, min: 1, max: MAX_LIMIT });
}

/** A page of at most `limit` items out of up to `limit + 1` found, and the cursor of the next. */
export function pageOf<T, J>(
  found: readonly T[],
  limit: number,
  show: (item: T) => J,
  cursor: (last: T) => string,
): { readonly items: readonly J[]; readonly next: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map(show), next: found.length > limit && last !== undefined ? cursor(last) : null };
}
