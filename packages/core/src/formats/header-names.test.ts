import { expect, test } from "vitest";
import { headerNames } from "./header-names.ts";

test("duplicates get a suffix that no other column has, empty ones their number", () => {
  expect(headerNames(["a", "a"])).toEqual(["a", "a_1"]);
  expect(headerNames(["a", "a_1", "a"])).toEqual(["a", "a_1", "a_2"]);
  expect(headerNames(["a", "a", "a_1"])).toEqual(["a", "a_2", "a_1"]);
  expect(headerNames([null, " ", "column_1", null])).toEqual(["column_1", "column_2", "column_1_1", "column_4"]);
  expect(headerNames([" x ", "__proto__", "__proto__"])).toEqual(["x", "__proto__", "__proto___1"]);
  expect(headerNames(["_row", "_row_1"])).toEqual(["_row_2", "_row_1"]);
});

test("sixteen thousand equal names are made unique in linear time", () => {
  const names = headerNames(Array<string>(16_384).fill("a"));
  expect(new Set(names).size).toBe(16_384);
});
