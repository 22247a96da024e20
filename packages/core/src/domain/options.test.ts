import { expect, test } from "vitest";
import { Fault } from "./fault.ts";
import { fileOptionsToJson, parseFileOptions, parseMaxRejects, parseOnBadRow, parsePolicy } from "./options.ts";

function refusal(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("it was taken");
}

const ALL = {
  format: "csv",
  compression: "gzip",
  delimiter: "\t",
  quote: false,
  header: false,
  skip_rows: 3,
  null_values: ["NA", ""],
  column_types: { id: "int64", price: "decimal(10,2)" },
  lineage: true,
};

test("options survive their JSON, all of them", () => {
  const options = parseFileOptions(ALL);
  expect(options.column_types?.["price"]).toEqual({ kind: "decimal", precision: 10, scale: 2 });
  const json = JSON.parse(JSON.stringify(fileOptionsToJson(options))) as unknown;
  expect(json).toEqual(ALL);
  expect(parseFileOptions(json)).toEqual(options);
});

test("no options are no options", () => {
  for (const none of [undefined, null, {}]) expect(parseFileOptions(none)).toEqual({});
  expect(fileOptionsToJson({})).toEqual({});
});

test.each([
  [{ delimeter: "," }, "unknown_field", "options.delimeter"],
  [{ format: "cvs" }, "invalid_field", "options.format"],
  [{ format: ["csv"] }, "invalid_field", "options.format"],
  [{ compression: "lz4" }, "invalid_field", "options.compression"],
  [{ delimiter: "" }, "invalid_field", "options.delimiter"],
  [{ delimiter: "ab" }, "invalid_field", "options.delimiter"],
  [{ delimiter: "\n" }, "invalid_field", "options.delimiter"],
  [{ delimiter: "é" }, "invalid_field", "options.delimiter"],
  [{ quote: true }, "invalid_field", "options.quote"],
  [{ quote: ";", delimiter: ";" }, "invalid_field", "options.quote"],
  [{ header: "true" }, "invalid_field", "options.header"],
  [{ header: null }, "invalid_field", "options.header"],
  [{ skip_rows: -1 }, "invalid_field", "options.skip_rows"],
  [{ skip_rows: 1.5 }, "invalid_field", "options.skip_rows"],
  [{ null_values: "NA" }, "invalid_field", "options.null_values"],
  [{ null_values: Array.from({ length: 101 }, () => "x") }, "invalid_field", "options.null_values"],
  [{ column_types: ["int64"] }, "invalid_field", "options.column_types"],
  [{ column_types: { id: "integr" } }, "invalid_field", "options.column_types.id"],
  [{ column_types: { id: 7 } }, "invalid_field", "options.column_types.id"],
  [[], "invalid_field", "options"],
  ["csv", "invalid_field", "options"],
] as const)("%j is refused: %s at %s", (given, code, field) => {
  const fault = refusal(() => parseFileOptions(given));
  expect([fault.code, fault.detail.field]).toEqual([code, field]);
  expect(fault.message.startsWith(field)).toBe(true);
});

test.each([
  [0, { rows: 0 }],
  ["0", { rows: 0 }],
  [100, { rows: 100 }],
  ["100", { rows: 100 }],
  [0.1, { share: 0.1 }],
  ["0.1", { share: 0.1 }],
  ["10%", { share: 0.1 }],
  ["100%", { share: 1 }],
  [1, { rows: 1 }],
])("max_rejects %j is %j", (given, limit) => {
  expect(parseMaxRejects(given)).toEqual(limit);
});

test.each([-1, "-1", 1.5, "101%", "", " ", "ten", null, undefined, Number.NaN, Number.POSITIVE_INFINITY, {}, true, [5]])(
  "max_rejects %j is refused",
  (given) => {
    expect(refusal(() => parseMaxRejects(given)).code).toBe("invalid_field");
  },
);

test("closed lists name themselves when they refuse", () => {
  expect(parsePolicy("strict")).toBe("strict");
  expect(parseOnBadRow("coerce")).toBe("coerce");
  expect(refusal(() => parsePolicy("loose")).message).toContain("strict, evolve, coerce, off");
  expect(refusal(() => parseOnBadRow({ a: 1 })).detail.value).toBe('{"a":1}');
});
