import type { FileOptions } from "../domain/options.ts";
import { ISO8601, parseTimestampFormat, type TimestampFormat } from "../domain/strptime.ts";
import type { ColumnType } from "../domain/table-schema.ts";
import { coerce, type CoerceRules, type OnBadCell } from "./coerce.ts";
import type { ColumnData } from "./column-data.ts";
import { nullTexts } from "./null-texts.ts";
import { type Observation, observe } from "./observe.ts";
import { matchFormat, matchNumericDate } from "./scan-format.ts";
import { scanTime } from "./scan-time.ts";

type Cells = readonly (string | null)[];

/** How cells of text are taken where it is not the usual way. */
export interface TextRules {
  /** Texts that mean null to every type but text; null: nulls were told when the file was cut. */
  readonly nulls: ReadonlySet<string> | null;
  readonly truths: ReadonlySet<string>;
  readonly falses: ReadonlySet<string>;
  readonly decimal: string;
  readonly thousands: string;
  /** The decimal comma was found, not said: a column that also has whole numbers is no column of numbers, it may be one of lists. */
  readonly found: boolean;
  readonly formats: readonly (TimestampFormat | "iso")[] | null;
  readonly dayFirst: boolean | undefined;
  readonly inferDates: boolean;
}

/** The rules that options ask for, or null where everything is as usual. `comma`: a decimal comma was found. */
export function textRules(options: FileOptions, comma: boolean): TextRules | null {
  const formats = options.timestamp_formats?.map(formatOf) ?? null;
  const rules: TextRules = {
    nulls: options.strings_can_be_null === false ? nullTexts(options) : null,
    truths: new Set(options.true_values),
    falses: new Set(options.false_values),
    decimal: comma ? "," : (options.decimal ?? "."),
    thousands: options.thousands ?? "",
    found: comma,
    formats,
    dayFirst: options.day_first,
    inferDates: options.infer_dates ?? true,
  };
  const usual =
    rules.nulls === null &&
    rules.truths.size + rules.falses.size === 0 &&
    rules.decimal === "." &&
    rules.thousands === "" &&
    formats === null &&
    rules.dayFirst === undefined &&
    rules.inferDates;
  return usual ? null : rules;
}

function formatOf(format: string): TimestampFormat | "iso" {
  if (format === ISO8601) return "iso";
  const parsed = parseTimestampFormat(format);
  if (typeof parsed === "string") throw new Error(`an option's format was not checked: ${parsed}`);
  return parsed;
}

/** A text that is no value of any type but text, and no white space. */
const NO_VALUE = "\u007f";

/** Observes a column's cells under rules. */
export class RuledColumn {
  #commas = 0;
  #wholes = 0;
  readonly #rules: TextRules;

  constructor(rules: TextRules) {
    this.#rules = rules;
  }

  observe(seen: Observation, cells: Cells, textSettles: boolean): void {
    const usual = cells.map((cell) => (cell === null ? null : this.#usual(cell)));
    observe(seen, usual, textSettles);
  }

  /** Call it when all cells are observed. */
  settle(seen: Observation): void {
    if (this.#rules.found && this.#commas > 0 && this.#wholes > 0) seen.texts++;
  }

  /** The cell as it is usually written, by what it looks like. */
  #usual(cell: string): string | null {
    const rules = this.#rules;
    const text = cell.trim();
    if (rules.nulls?.has(cell)) return null;
    if (text === "") return cell;
    const number = numberText(text, rules);
    if (number !== null) {
      if (text.includes(",")) this.#commas++;
      else this.#wholes++;
      return number;
    }
    const time = timeText(text, rules);
    if (time !== null) return rules.inferDates ? time : NO_VALUE;
    if (rules.truths.has(text)) return "true";
    if (rules.falses.has(text)) return "false";
    // What would pass for a number or a date of the usual kind is none here.
    return /\d/.test(text) ? NO_VALUE : cell;
  }
}

/** `coerce` under rules: cells of every type but text are first written as they usually are. */
export function coerceRuled(cells: Cells, type: ColumnType, rules: TextRules, how: CoerceRules, onBad: OnBadCell): ColumnData {
  const read = readerFor(type, rules);
  if (read === null) return coerce(cells, type, how, onBad);
  const usual = cells.map((cell) => (cell === null || rules.nulls?.has(cell) ? null : cell.trim() === "" ? cell : read(cell.trim())));
  return coerce(usual, type, how, (row) => onBad(row, cells[row] ?? ""));
}

function readerFor(type: ColumnType, rules: TextRules): ((text: string) => string) | null {
  switch (type.kind) {
    case "int64":
    case "decimal":
    case "double":
      return (text) => numberText(text, rules) ?? (/\d/.test(text) ? NO_VALUE : text);
    case "bool":
      return (text) => (rules.truths.has(text) ? "true" : rules.falses.has(text) ? "false" : text);
    case "date":
    case "time":
    case "timestamp":
      return (text) => timeText(text, rules) ?? NO_VALUE;
    case "unknown":
      return (text) => text;
    case "text":
    case "binary":
    case "nested":
      return null;
  }
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,6})?$/;

/** A number with a point and without groups, or null where the text is none. */
function numberText(text: string, { decimal, thousands }: TextRules): string | null {
  let plain = text;
  if (thousands !== "" && plain.includes(thousands)) {
    const end = plain.indexOf(decimal);
    const whole = end < 0 ? plain : plain.slice(0, end);
    const groups = whole.split(thousands);
    const sizes = groups.slice(1).every((group, i) => /^\d{2,3}$/.test(group) && (i < groups.length - 2 || group.length === 3));
    if (!sizes || !/^[+-]?[1-9]\d{0,2}$/.test(groups[0] ?? "")) return null;
    plain = groups.join("") + (end < 0 ? "" : plain.slice(end));
  }
  if (decimal !== ".") {
    if (plain.includes(".")) return null;
    plain = plain.replace(decimal, ".");
  }
  return NUMBER.test(plain) ? plain : null;
}

/** A date, a time or both in ISO 8601, or null where the text is none. */
function timeText(text: string, { formats, dayFirst }: TextRules): string | null {
  const iso = () => (scanTime(text, 0, text.length) === null ? null : text);
  if (formats === null) return iso() ?? (dayFirst === undefined ? null : matchNumericDate(text, dayFirst));
  for (const format of formats) {
    const found = format === "iso" ? iso() : matchFormat(text, format);
    if (found !== null) return found;
  }
  return dayFirst === undefined ? null : matchNumericDate(text, dayFirst);
}
