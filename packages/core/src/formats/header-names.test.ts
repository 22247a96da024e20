import { expect, test } from "vitest";
import { headerNames, joinHeader } from "./header-names.ts";

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

test("names are cleaned: no control or invisible characters, at most 255 of them, whole characters", () => {
  const long = `${"x".repeat(254)}𒳎y`;
  expect(headerNames(["a\r\nb", "\ufeffc\u200b", "\u0000", "\ud800z", long])).toEqual(["a b", "c", "column_3", "\ufffdz", "x".repeat(254)]);
});

test("columns without a name are called by the style that is asked for", () => {
  expect(headerNames(["a", null, ""], "f0")).toEqual(["a", "f1", "f2"]);
  expect(headerNames([null, "0"], "0")).toEqual(["0", "0_1"]);
});

test("header rows become one: texts reach over empty cells but in the last row, equal ones are said once", () => {
  expect(
    joinHeader([
      ["a", null, "b", null],
      ["x", "y", "b", null],
    ]),
  ).toEqual(["a_x", "a_y", "b", "b"]);
  expect(joinHeader([["a"], ["x", "y"]])).toEqual(["a_x", "a_y"]);
  expect(
    joinHeader([
      [null, null],
      [null, "y"],
    ]),
  ).toEqual([null, "y"]);
});
