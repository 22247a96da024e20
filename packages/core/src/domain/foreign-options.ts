import { type Check, refuse } from "./option-values.ts";
import type { FileOptions } from "./options.ts";

/** An option by another library's name: what it takes, and which of our options it becomes. */
export interface ForeignOption {
  readonly takes: string;
  /** For the table in `docs/options.md`. */
  readonly becomes: string;
  /** `beside`: the object in which it stands. Throws `invalid_field`. */
  read(value: unknown, field: string, beside: Readonly<Record<string, unknown>>): FileOptions;
}

export type ForeignTable = Readonly<Record<string, ForeignOption>>;

/** Another name for one option of ours. */
export function renamed<K extends keyof FileOptions>(key: K, check: Check<NonNullable<FileOptions[K]>>, takes: string): ForeignOption {
  return { takes, becomes: `\`${key}\``, read: (value, field) => ({ [key]: check(value, field) }) };
}

/** A list that means nothing when it is empty. */
export function listed<K extends keyof FileOptions>(key: K, check: Check<NonNullable<FileOptions[K]>>, takes: string): ForeignOption {
  const option = renamed(key, check, takes);
  return {
    ...option,
    read: (value, field, beside) => (Array.isArray(value) && value.length === 0 ? {} : option.read(value, field, beside)),
  };
}

/** Checked, and without effect here: it says how fast or in what memory something is done. */
export function withoutEffect(check: Check<unknown>, takes: string, why: string): ForeignOption {
  return {
    takes,
    becomes: `nothing: ${why}`,
    read: (value, field) => {
      check(value, field);
      return {};
    },
  };
}

/** Only the value that changes nothing is taken. */
export function onlyAs(allowed: readonly unknown[], why: string): ForeignOption {
  const list = ["null", ...allowed.filter((value) => value !== null).map((value) => JSON.stringify(value))].join(", ");
  return {
    takes: `${list} only`,
    becomes: `nothing: ${why}`,
    read: (value, field) => (allowed.includes(value) ? {} : refuse(field, `can only be ${list}: ${why}`, value)),
  };
}

/** Never taken: what it asks cannot travel or cannot be done. */
export function refused(why: string): ForeignOption {
  return { takes: "null only", becomes: `refused: ${why}`, read: (value, field) => refuse(field, why, value) };
}
