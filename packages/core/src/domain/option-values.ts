import { Fault } from "./fault.ts";
import { type ColumnType, MAX_COLUMNS, parseType } from "./table-schema.ts";
import { foreignType } from "./type-names.ts";

/** Checks one value of a request: gives it typed, or throws `invalid_field` that names the field, the rule and the value. */
export type Check<T> = (value: unknown, field: string) => T;

const MAX_NAME = 1_024;
const MAX_LIST = 1_000;

/** A value as a message shows it. */
export function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

export function refuse(field: string, rule: string, value: unknown): never {
  throw new Fault("invalid_field", `${field}: ${rule}`, { field, value: shown(value) });
}

/** The value as one of a closed list. Throws `invalid_field` naming the list. */
export function oneOf<const T extends string>(list: readonly T[], value: unknown, field: string): T {
  if (typeof value === "string" && (list as readonly string[]).includes(value)) return value as T;
  return refuse(field, `must be one of ${list.join(", ")}`, value);
}

export function among<const T extends string>(list: readonly T[]): Check<T> {
  return (value, field) => oneOf(list, value, field);
}

export const bool: Check<boolean> = (value, field) => (typeof value === "boolean" ? value : refuse(field, "must be true or false", value));

/** A whole number from 0 within 2^53. */
export const count: Check<number> = (value, field) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(field, "must be a whole number from 0", typeof value === "string" ? JSON.stringify(value) : value);

export function countFrom(least: number, most: number): Check<number> {
  return (value, field) =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most
      ? value
      : refuse(field, `must be a whole number from ${least} to ${most}`, value);
}

/** One ASCII character that is no line end. */
export const oneChar: Check<string> = (value, field) =>
  typeof value === "string" && /^[\t\u0020-\u007e]$/.test(value) ? value : refuse(field, "must be one ASCII character", value);

/** One ASCII character, or false for none. */
export const charOrFalse: Check<string | false> = (value, field) =>
  value === false
    ? false
    : typeof value === "string" && value.length === 1
      ? oneChar(value, field)
      : refuse(field, "must be one ASCII character, or false for none", value);

/** One to 16 characters, none of them a line end or NUL. */
export const shortText: Check<string> = (value, field) =>
  typeof value === "string" && value.length >= 1 && value.length <= 16 && !/[\r\n\0]/.test(value) && !value.includes("\ufeff")
    ? value
    : refuse(field, "must be 1 to 16 characters without line ends", value);

/** A list of texts; `most` is 1,000. */
export const texts: Check<readonly string[]> = (value, field) => {
  if (!Array.isArray(value) || value.length > MAX_LIST) return refuse(field, `must be a list of at most ${MAX_LIST} texts`, value);
  return value.map((item: unknown, i) =>
    typeof item === "string" && item.length <= MAX_NAME
      ? item
      : refuse(`${field}[${i}]`, `must be a text of at most ${MAX_NAME} characters`, item),
  );
};

/** A column's or sheet's name. */
const name: Check<string> = (value, field) =>
  typeof value === "string" && value !== "" && value.length <= MAX_NAME
    ? value
    : refuse(field, `must be a name of 1 to ${MAX_NAME} characters`, value);

/** A list of different names. */
export const names: Check<readonly string[]> = (value, field) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_COLUMNS) {
    return refuse(field, `must be a list of 1 to ${MAX_COLUMNS} names`, value);
  }
  const list = value.map((item: unknown, i) => name(item, `${field}[${i}]`));
  const seen = new Set<string>();
  for (const item of list) {
    if (seen.has(item)) refuse(field, "must not name a column twice", item);
    seen.add(item);
  }
  return list;
};

/** A list of different names and positions from 0. */
export const namesOrPositions: Check<readonly (string | number)[]> = (value, field) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_COLUMNS) {
    return refuse(field, `must be a list of 1 to ${MAX_COLUMNS} names or positions from 0`, value);
  }
  const list = value.map((item: unknown, i) => {
    const at = `${field}[${i}]`;
    return typeof item === "number" ? countFrom(0, MAX_COLUMNS - 1)(item, at) : name(item, at);
  });
  if (new Set(list).size !== list.length) refuse(field, "must not name one twice", value);
  return list;
};

/** Row numbers from 0: ascending, each once. */
export const rowNumbers: Check<readonly number[]> = (value, field) => {
  if (!Array.isArray(value) || value.length > MAX_LIST)
    return refuse(field, `must be a list of at most ${MAX_LIST} row numbers from 0`, value);
  const list = value.map((item: unknown, i) => count(item, `${field}[${i}]`));
  return [...new Set(list)].toSorted((a, b) => a - b);
};

/** A JSON object with a value for each of some names, each checked by `item`. */
export function byName<T>(what: string, item: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value, field) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(field, `must be an object of ${what}`, value);
    const entries = Object.entries(value);
    if (entries.length > MAX_COLUMNS) return refuse(field, `must name at most ${MAX_COLUMNS} columns`, entries.length);
    // fromEntries makes own properties of any name, __proto__ too.
    return Object.fromEntries(entries.map(([key, given]) => [key, item(given, `${field}.${key}`)]));
  };
}

/** A type by our name, pyarrow's or pandas'. */
export const columnType: Check<ColumnType> = (value, field) => {
  if (typeof value !== "string") return refuse(field, "must be the name of a type", value);
  return foreignType(value) ?? parseType(value, field);
};

export const columnTypes = byName("column names and types", columnType);

export const renames: Check<Readonly<Record<string, string>>> = (value, field) => {
  const mapping = byName("names in the file and new names", name)(value, field);
  const seen = new Set<string>();
  for (const to of Object.values(mapping)) {
    if (seen.has(to)) refuse(field, "must not give two columns one name", to);
    seen.add(to);
  }
  return mapping;
};
