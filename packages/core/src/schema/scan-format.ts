import type { FormatPiece, TimestampFormat } from "../domain/strptime.ts";
import { scanTime } from "./scan-time.ts";

const MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/** What a text said so far; -1: nothing. */
interface Fields {
  year: number;
  month: number;
  day: number;
  dayOfYear: number;
  hour: number;
  minute: number;
  second: number;
  /** Digits after the second. */
  fraction: string;
  /** 0 am, 1 pm. */
  half: number;
  zone: string;
}

/** The text in ISO 8601 when it has this strptime format from end to end and is a real date, else null. English names. */
export function matchFormat(text: string, format: TimestampFormat): string | null {
  const fields: Fields = { year: -1, month: -1, day: -1, dayOfYear: -1, hour: -1, minute: 0, second: 0, fraction: "", half: -1, zone: "" };
  let at = 0;
  for (const piece of format.pieces) {
    at = matchPiece(piece, text, at, fields);
    if (at < 0) return null;
  }
  return at === text.length ? isoOf(fields, format) : null;
}

/** Where the piece ends, or -1. */
function matchPiece(piece: FormatPiece, text: string, at: number, fields: Fields): number {
  if ("text" in piece) return text.startsWith(piece.text, at) ? at + piece.text.length : -1;
  if ("space" in piece) {
    let end = at;
    while (/\s/.test(text[end] ?? "")) end++;
    return end;
  }
  return matchDirective(piece.directive, text, at, fields);
}

function matchDirective(directive: string, text: string, at: number, fields: Fields): number {
  const digits = (most: number, least: number, put: (value: number) => void) => {
    let end = at;
    while (end < text.length && end - at < most && isDigit(text.charCodeAt(end))) end++;
    if (end - at < least) return -1;
    put(Number(text.slice(at, end)));
    return end;
  };
  switch (directive) {
    case "Y":
      return digits(4, 4, (n) => (fields.year = n));
    case "y":
      return digits(2, 2, (n) => (fields.year = n < 69 ? 2000 + n : 1900 + n));
    case "m":
      return digits(2, 1, (n) => (fields.month = n));
    case "d":
      return digits(2, 1, (n) => (fields.day = n));
    case "j":
      return digits(3, 1, (n) => (fields.dayOfYear = n));
    case "H":
      return digits(2, 1, (n) => (fields.hour = n));
    case "I": {
      const end = digits(2, 1, (n) => (fields.hour = n));
      return fields.hour >= 1 && fields.hour <= 12 ? end : -1;
    }
    case "M":
      return digits(2, 1, (n) => (fields.minute = n));
    case "S":
      return digits(2, 1, (n) => (fields.second = n));
    case "f":
      return matchFraction(text, at, fields);
    case "b":
    case "B":
      return named(MONTHS, text, at, (i) => (fields.month = i + 1));
    case "a":
    case "A":
      return named(DAYS, text, at, () => {});
    case "p":
      return named(["am", "pm"], text, at, (i) => (fields.half = i));
    default:
      return matchZone(text, at, fields);
  }
}

function matchFraction(text: string, at: number, fields: Fields): number {
  const digits = /^\d{1,9}/.exec(text.slice(at, at + 9))?.[0] ?? "";
  fields.fraction = digits;
  return digits === "" ? -1 : at + digits.length;
}

function matchZone(text: string, at: number, fields: Fields): number {
  const [whole = "", sign = "", hours = "", minutes = "00"] = /^(?:Z|([+-])(\d\d):?(\d\d)?)/.exec(text.slice(at, at + 6)) ?? [];
  fields.zone = sign === "" ? "Z" : `${sign}${hours}:${minutes}`;
  return whole === "" ? -1 : at + whole.length;
}

/** A name in full or by its first three letters, in any case. */
function named(names: readonly string[], text: string, at: number, put: (i: number) => void): number {
  const rest = text.slice(at, at + 9).toLowerCase();
  for (const length of [9, 3]) {
    const i = names.findIndex((name) => rest.startsWith(name.slice(0, length)));
    if (i < 0) continue;
    put(i);
    return at + Math.min(names[i]?.length ?? 0, length);
  }
  return -1;
}

function isoOf(fields: Fields, format: TimestampFormat): string | null {
  const hour = fields.half < 0 ? fields.hour : (fields.hour % 12) + 12 * fields.half;
  const fraction = fields.fraction === "" ? "" : `.${fields.fraction}`;
  const time = format.time ? `${pad(hour, 2)}:${pad(fields.minute, 2)}:${pad(fields.second, 2)}${fraction}` : "";
  const iso = [format.date ? dateOf(fields) : "", time].filter(Boolean).join("T") + fields.zone;
  return scanTime(iso, 0, iso.length) === null ? null : iso;
}

function dateOf({ year, month, day, dayOfYear }: Fields): string {
  if (dayOfYear < 0) return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const date = new Date(0);
  date.setUTCFullYear(year, 0, dayOfYear);
  // Day 366 of a common year would be the next year's first.
  return date.getUTCFullYear() === year && dayOfYear > 0 ? date.toISOString().slice(0, 10) : "none";
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

/** 13/01/2026, 13.1.2026 or 13-01-2026, with a time or without, in ISO 8601: day before month, or month before day. */
export function matchNumericDate(text: string, dayFirst: boolean): string | null {
  const parts = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ T](\d{1,2}):(\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (!parts) return null;
  const [, a = "", , b = "", year = "", hour, rest, zone = ""] = parts;
  const [day, month] = dayFirst ? [a, b] : [b, a];
  const date = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const iso = hour === undefined ? date : `${date}T${hour.padStart(2, "0")}:${rest}${zone}`;
  return scanTime(iso, 0, iso.length) === null ? null : iso;
}
