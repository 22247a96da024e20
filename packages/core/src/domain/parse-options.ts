import { Fault } from "./fault.ts";
import type { ForeignTable } from "./foreign-options.ts";
import { refuse, shown } from "./option-values.ts";
import type { FileOptions } from "./options.ts";
import { isOwnOption, OWN_OPTIONS, type OptionKey } from "./own-options.ts";
import { PANDAS_OPTIONS, pandasForms } from "./pandas-options.ts";
import { PYARROW_GROUPS } from "./pyarrow-options.ts";
import { typeName } from "./table-schema.ts";

type Given = Readonly<Record<string, unknown>>;

/**
 * Checks options from JSON: our names and pandas' side by side, pyarrow's in `read_options`, `parse_options` and
 * `convert_options`. null says nothing (but for `header`, where it says: none). Throws `unknown_field` for a name that
 * there is not, `invalid_field` naming option, rule and value, also where two options contradict each other.
 */
export function parseFileOptions(value: unknown, field = "options"): FileOptions {
  if (value === undefined || value === null) return {};
  const bag = new OptionBag();
  for (const [name, said] of entriesOf(value, field)) {
    const at = `${field}.${name}`;
    if (isOwnOption(name)) readOwn(bag, name, said, at);
    else if (Object.hasOwn(PYARROW_GROUPS, name)) readGroup(bag, name, said, at);
    else if (!Object.hasOwn(PANDAS_OPTIONS, name)) throw unknown(at, ownNames(), value as Given);
    else if (said !== null) bag.put(PANDAS_OPTIONS[name]?.read(said, at, value as Given) ?? {}, at);
  }
  return agreed(bag, field);
}

function entriesOf(value: unknown, field: string): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(field, "must be a JSON object", value);
  return Object.entries(value).filter(([, said]) => said !== undefined);
}

function ownNames(): string[] {
  return [...Object.keys(OWN_OPTIONS), ...Object.keys(PYARROW_GROUPS)];
}

function unknown(at: string, known: readonly string[], given: Given): Fault {
  const message = `${at}: there is no such option; there are ${known.join(", ")}`;
  return new Fault("unknown_field", message, { field: at, value: shown(given[at.slice(at.lastIndexOf(".") + 1)]) });
}

function readOwn(bag: OptionBag, name: OptionKey, said: unknown, at: string): void {
  const form = pandasForms(name, said, at);
  if (form !== null) bag.put(form, at);
  else if (said !== null) bag.put({ [name]: OWN_OPTIONS[name].check(said, at) }, at);
}

function readGroup(bag: OptionBag, group: string, said: unknown, at: string): void {
  if (said === null) return;
  const table: ForeignTable = PYARROW_GROUPS[group] ?? {};
  for (const [name, inner] of entriesOf(said, at)) {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (option === undefined) throw unknown(`${at}.${name}`, Object.keys(table), said as Given);
    if (inner !== null) bag.put(option.read(inner, `${at}.${name}`, said as Given), `${at}.${name}`);
  }
}

/** Options as they come in, each with the name that said it. */
class OptionBag {
  readonly options: Record<string, unknown> = {};
  readonly #saidBy = new Map<string, string>();

  put(more: FileOptions, by: string): void {
    for (const [key, value] of Object.entries(more)) {
      const before = this.#saidBy.get(key);
      if (before !== undefined && JSON.stringify(this.options[key]) !== JSON.stringify(value)) {
        refuse(by, `contradicts ${before}: they mean the same, and one says ${shown(this.options[key])}`, value);
      }
      this.options[key] = value;
      this.#saidBy.set(key, before ?? by);
    }
  }

  /** The name under which an option was given. */
  saidBy(key: OptionKey): string {
    return this.#saidBy.get(key) ?? key;
  }
}

/** Options that no file could satisfy together are refused. */
function agreed(bag: OptionBag, field: string): FileOptions {
  const options = bag.options as FileOptions;
  const differ = (a: OptionKey, b: OptionKey, what: string) => {
    if (options[a] === undefined || options[a] === false || options[a] !== options[b]) return;
    const by = bag.saidBy(a);
    refuse(by === a ? `${field}.${a}` : by, `must differ from the ${what}`, options[a]);
  };
  differ("quote", "delimiter", "delimiter");
  differ("escape", "delimiter", "delimiter");
  differ("comment", "delimiter", "delimiter");
  differ("comment", "quote", "quote");
  differ("thousands", "decimal", "decimal character");
  differ("line_terminator", "delimiter", "delimiter");
  const both = options.true_values?.find((text) => options.false_values?.includes(text));
  if (both !== undefined) refuse(bag.saidBy("false_values"), "must not hold what true_values holds", both);
  const headed = (["header_row", "header_rows"] as const).find((key) => options[key] !== undefined);
  if (headed !== undefined && options.header === false) refuse(bag.saidBy(headed), "contradicts header: there is none", options[headed]);
  return headed === undefined ? options : { ...options, header: true };
}

/** Options as JSON: the reverse of `parseFileOptions`. */
export function fileOptionsToJson(options: FileOptions): Record<string, unknown> {
  const { column_types: columnTypes, default_type: defaultType, ...rest } = options;
  const json: Record<string, unknown> = { ...rest };
  if (columnTypes) json["column_types"] = Object.fromEntries(Object.entries(columnTypes).map(([name, type]) => [name, typeName(type)]));
  if (defaultType) json["default_type"] = typeName(defaultType);
  return json;
}
