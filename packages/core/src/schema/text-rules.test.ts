import { expect, test } from "vitest";
import type { FileOptions } from "../domain/options.ts";
import { parseTimestampFormat } from "../domain/strptime.ts";
import { infer } from "./infer.ts";
import { newObservation } from "./observe.ts";
import { matchFormat, matchNumericDate } from "./scan-format.ts";
import { coerceRuled, RuledColumn, textRules } from "./text-rules.ts";

function rulesOf(options: FileOptions, comma = false) {
  const rules = textRules(options, comma);
  if (rules === null) throw new Error("there are no rules");
  return rules;
}

/** The type of a column of these cells. */
function typeOf(cells: readonly (string | null)[], options: FileOptions, comma = false): string {
  const column = new RuledColumn(rulesOf(options, comma));
  const seen = newObservation();
  column.observe(seen, cells, true);
  column.settle(seen);
  return infer(seen).whole.kind;
}

function doubles(cells: readonly string[], options: FileOptions): (number | string)[] {
  const bad = new Map<number, string>();
  const data = coerceRuled(cells, { kind: "double" }, rulesOf(options), { declared: true }, (row, cell) => bad.set(row, cell));
  if (data.form !== "doubles") throw new Error("no doubles");
  return cells.map((_, row) => bad.get(row) ?? data.values[row] ?? 0);
}

test("without options about values there are no rules", () => {
  expect(textRules({}, false)).toBeNull();
  expect(textRules({ null_values: ["NA"], decimal: ".", delimiter: ";" }, false)).toBeNull();
});

test("groups of digits are left out where they are groups, and nowhere else", () => {
  expect(doubles(["1,234,567.5", "12,34,567", "-1,000", "1234", "0.5"], { thousands: "," })).toEqual([
    1234567.5, 1234567, -1000, 1234, 0.5,
  ]);
  expect(doubles(["1,23", "1,2345", ",123", "0,123", "1,,234", "1,234,"], { thousands: "," })).toEqual([
    "1,23",
    "1,2345",
    ",123",
    "0,123",
    "1,,234",
    "1,234,",
  ]);
  expect(doubles(["1.234,5", "1,5", "1.5", "1 000,5"], { thousands: ".", decimal: "," })).toEqual([1234.5, 1.5, "1.5", "1 000,5"]);
});

test("a decimal comma makes numbers of commas and texts of points", () => {
  expect(typeOf(["1,5", "2,25", "7"], { decimal: "," })).toBe("double");
  expect(typeOf(["1,5", "2.5"], { decimal: "," })).toBe("text");
  expect(typeOf(["007,5", "1,5"], { decimal: "," })).toBe("text");
  expect(typeOf(["2024-01-01", null, ""], { decimal: "," })).toBe("date");
});

test("a comma that was found, not said, makes no numbers of a column that may be one of lists", () => {
  expect(typeOf(["1,5", "2,25"], {}, true)).toBe("double");
  expect(typeOf(["1,5", "2"], {}, true)).toBe("text");
  expect(typeOf(["1,5", "2,3,4"], {}, true)).toBe("text");
  expect(typeOf(["1", "2"], {}, true)).toBe("int64");
});

test("texts for true and false stand beside the usual ones, after numbers", () => {
  expect(typeOf(["yes", "no", "TRUE"], { true_values: ["yes"], false_values: ["no"] })).toBe("bool");
  expect(typeOf(["1", "0"], { true_values: ["1"], false_values: ["0"] })).toBe("int64");
  expect(typeOf(["Yes"], { true_values: ["yes"] })).toBe("text");
});

test("dates: by order, by formats alone, or not at all", () => {
  expect(typeOf(["13/01/2026", "2026-01-13"], { day_first: true })).toBe("date");
  expect(typeOf(["13/01/2026", "01/13/2026"], { day_first: true })).toBe("text");
  expect(typeOf(["01/13/2026"], { day_first: false })).toBe("date");
  expect(typeOf(["13.01.26", "2026-01-13"], { timestamp_formats: ["%d.%m.%y"] })).toBe("text");
  expect(typeOf(["13.01.26", "2026-01-13"], { timestamp_formats: ["%d.%m.%y", "ISO8601"] })).toBe("date");
  expect(typeOf(["20260113"], { timestamp_formats: ["%Y%m%d"] })).toBe("int64");
  expect(typeOf(["2026-01-13", "10:00"], { infer_dates: false })).toBe("text");
});

test.each([
  ["%d/%m/%Y", "1/2/2026", "2026-02-01"],
  ["%d/%m/%Y", "31/02/2026", null],
  ["%d/%m/%Y", "01/02/2026 ", null],
  ["%d/%m/%Y", "01/02/26", null],
  ["%y%m%d", "690101", "1969-01-01"],
  ["%y%m%d", "680101", "2068-01-01"],
  ["%Y-%j", "2024-366", "2024-12-31"],
  ["%Y-%j", "2023-366", null],
  ["%B %d, %Y", "february 9, 2026", "2026-02-09"],
  ["%b %d %Y", "May 09 2026", "2026-05-09"],
  ["%A %d %b %Y", "Wednesday 9 Sep 2026", "2026-09-09"],
  ["%F %T", "2026-01-02 03:04:05", "2026-01-02T03:04:05"],
  ["%I:%M %p", "12:05 am", "00:05:00"],
  ["%I:%M %p", "12:05 PM", "12:05:00"],
  ["%I:%M %p", "13:05 PM", null],
  ["%H:%M:%S.%f", "23:59:59.123456", "23:59:59.123456"],
  ["%H:%M", "24:00", null],
  ["%Y-%m-%d %H:%M%z", "2026-01-02 03:04-0130", "2026-01-02T03:04:00-01:30"],
  ["%Y-%m-%d %H:%M%z", "2026-01-02 03:04Z", "2026-01-02T03:04:00Z"],
  ["%Y %m %d", "2026   1\t2", "2026-01-02"],
  ["%%%Y-%m-%d", "%2026-01-02", "2026-01-02"],
])("format %s reads %j as %j", (format, text, iso) => {
  const parsed = parseTimestampFormat(format);
  if (typeof parsed === "string") throw new Error(parsed);
  expect(matchFormat(text, parsed)).toBe(iso);
});

test.each(["", "text", "%d", "%Y-%m", "%H %q", "%Y-%m-%d %Y", "%I:%M", "%M", "%z", "%Y %y %m %d", "%"])(
  "format %j is refused with a reason",
  (format) => {
    expect(typeof parseTimestampFormat(format)).toBe("string");
  },
);

test("numeric dates have one separator, a year of four digits and a day that exists", () => {
  expect(matchNumericDate("1.2.2026 9:05", true)).toBe("2026-02-01T09:05");
  expect(matchNumericDate("29/02/2023", true)).toBeNull();
  expect(matchNumericDate("1.2/2026", true)).toBeNull();
  expect(matchNumericDate("1/2/26", true)).toBeNull();
});
