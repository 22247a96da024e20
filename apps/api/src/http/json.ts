import type { Request, Response } from "express";
import { Fault } from "@sluice/core/domain/fault";
import { utf8 } from "./header-params.ts";
import { jsonErrorAt } from "./json-place.ts";
import { requestBytes } from "./request-bytes.ts";

export const MAX_JSON_BYTES = 2 ** 20;
const IDLE_MS = 30_000;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A request's JSON object, at most 1 MiB; an empty body is {}. `anyType`: the Content-Type is not looked at.
 * Throws `bad_json` naming the place, `too_large`, `duplicate_field`, `unsupported_media_type`.
 */
export async function readJson(
  req: Request,
  res: Response,
  options: { readonly anyType: boolean } = { anyType: false },
): Promise<JsonObject> {
  const type = req.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  using bytes = requestBytes(req, res, { maxBytes: MAX_JSON_BYTES, statedLimit: MAX_JSON_BYTES, what: "JSON body", idleMs: IDLE_MS });
  const chunks: Uint8Array[] = [];
  for (let chunk = await bytes.next(); chunk !== null; chunk = await bytes.next()) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (body.length === 0) return {};
  if (!options.anyType && type !== undefined && !/^application\/(?:[a-z0-9.+-]+\+)?json$/.test(type)) {
    throw new Fault("unsupported_media_type", "Content-Type: must be application/json", { field: "Content-Type", value: type });
  }
  const text = utf8(body);
  if (text === null) throw new Fault("bad_json", "the body is not UTF-8");
  return parseJsonObject(text.replace(/^\ufeff/, ""), "the body");
}

/** Text as a JSON object whose names stand once each. Throws `bad_json` naming line and column, `duplicate_field`. */
export function parseJsonObject(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Fault("bad_json", `${what} is not valid JSON: ${placeIn(text)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Fault("bad_json", `${what} must be a JSON object`);
  const doubled = doubledName(text);
  if (doubled !== null) throw new Fault("duplicate_field", `${doubled}: is given twice`, { field: doubled });
  return value as JsonObject;
}

function placeIn(text: string): string {
  const at = jsonErrorAt(text);
  const before = text.slice(0, at).split("\n");
  const found = at < text.length ? `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))}` : "it ends too early";
  return `${found} at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** The first name that stands twice in the outermost object: JSON.parse would keep the last without a word. The text is valid JSON. */
function doubledName(text: string): string | null {
  const names = new Set<string>();
  let depth = 0;
  for (const found of text.matchAll(/"((?:[^"\\]|\\.)*)"(\s*:)?|[{}[\]]/g)) {
    const token = found[0];
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && found[2] !== undefined) {
      const name = JSON.parse(`"${found[1] ?? ""}"`) as string;
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return null;
}

/** Throws `unknown_field` naming the first field that is not known, with the list. */
export function onlyFields(body: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new Fault("unknown_field", `${unknown.slice(0, 100)}: there is no such field here; there are ${known.join(", ") || "none"}`, {
    field: unknown,
  });
}

/** A text that must be there. Throws `missing_field`, `invalid_field`. */
export function textOf(body: JsonObject, name: string): string {
  const value = body[name];
  if (value === undefined || value === null) throw new Fault("missing_field", `${name}: is missing`, { field: name });
  if (typeof value === "string") return value;
  throw wrongType(name, "a text", value);
}

/** true or false, or null when it is not given. Throws `invalid_field`. */
export function boolOf(body: JsonObject, name: string): boolean | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean") return value;
  throw wrongType(name, "true or false", value);
}

/** A number between the limits, or null when it is not given. Throws `invalid_field`. */
export function numberOf(body: JsonObject, name: string, min: number, max: number): number | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw wrongType(name, `a number from ${min} to ${max}`, value);
}

/** A refusal that names the field, what it must be and the value found. */
export function wrongType(field: string, expected: string, value: unknown): Fault {
  const shown =
    typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : (JSON.stringify(value) ?? null);
  return new Fault("invalid_field", `${field}: must be ${expected}, not ${JSON.stringify(value)?.slice(0, 100)}`, { field, value: shown });
}
