import { Fault } from "@sluice/core/domain/fault";
import { type FileOptions, type LoadRules, parseMaxRejects, parseOnBadRow, parsePolicy } from "@sluice/core/domain/options";
import { parseFileOptions } from "@sluice/core/domain/parse-options";
import { type JsonObject, parseJsonObject } from "./json.ts";
import type { Fields } from "./query.ts";

/** Fields by which an upload says how its files are to be read and loaded, in the query or in the form. */
export const LOAD_FIELDS = ["format", "compression", "options", "on_bad_row", "max_rejects"] as const;

/** What the load fields say. Throws `invalid_field`, `unknown_field`, `bad_json`, `duplicate_field`. */
export function loadFields(fields: Fields): { readonly options: FileOptions; readonly rules: Partial<LoadRules> } {
  const text = fields.get("options");
  const given: Record<string, unknown> = text === undefined ? {} : { ...parseJsonObject(text, "options") };
  const options = { ...parseFileOptions(given) };
  for (const name of ["format", "compression"] as const) {
    const value = fields.get(name);
    if (value === undefined) continue;
    if (given[name] !== undefined && given[name] !== value) {
      throw new Fault("duplicate_field", `${name}: is given here and, with another value, in options`, { field: name, value });
    }
    given[name] = value;
    Object.assign(options, pick(name, value));
  }
  return { options, rules: rulesOf(Object.fromEntries(fields)) };
}

function pick(name: "format" | "compression", value: string): FileOptions {
  try {
    return parseFileOptions({ [name]: value }, "");
  } catch (error) {
    // Named as the client wrote it: the field stands beside the options, not in them.
    if (!(error instanceof Fault)) throw error;
    throw new Fault(error.code, error.message.replace(/^\./, ""), { field: name, value });
  }
}

/** The rules that an object of fields gives: policy, on_bad_row, max_rejects. Throws `invalid_field`. */
export function rulesOf(body: JsonObject): Partial<LoadRules> {
  return {
    ...(body["policy"] === undefined ? {} : { policy: parsePolicy(body["policy"]) }),
    ...(body["on_bad_row"] === undefined ? {} : { onBadRow: parseOnBadRow(body["on_bad_row"]) }),
    ...(body["max_rejects"] === undefined ? {} : { maxRejects: parseMaxRejects(body["max_rejects"]) }),
  };
}
