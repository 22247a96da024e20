import { expect, test } from "vitest";
import type { ColumnType, NumericFacts } from "../domain/table-schema.ts";
import { coerce } from "./coerce.ts";
import { numbersOf, newObservation, observe } from "./observe.ts";
import { NumbersSeen } from "./observe-numbers.ts";

function factsOf(cells: readonly (string | null)[], type: ColumnType): NumericFacts {
  const seen = new NumbersSeen(type);
  seen.add(coerce(cells, type, { declared: true }, () => {}));
  return seen.facts;
}

function factsOfText(cells: readonly (string | null)[]): NumericFacts {
  const seen = newObservation();
  observe(seen, cells, false);
  return numbersOf(seen);
}

test("typed values have the facts that their text has", () => {
  const ints = [
    ["0"],
    ["1", null, "-42"],
    ["4294967296", "-2147483649"],
    ["9007199254740991"],
    ["9007199254740993"],
    ["-9223372036854775808", "9223372036854775807"],
  ];
  for (const cells of ints) expect(factsOf(cells, { kind: "int64" })).toEqual(factsOfText(cells));
  const doubles = [["0.5", "12.25", null], ["0.1", "0.001", "123456.5"], ["0.00000015"], ["3.141592653589793", "1000.5"], ["7"]];
  for (const cells of doubles) expect(factsOf(cells, { kind: "double" })).toEqual(factsOfText(cells));
  expect(factsOf(["1.5", "-1234.25", null], { kind: "decimal", precision: 38, scale: 2 })).toEqual(factsOfText(["1.5", "-1234.25"]));
});

test("digits of null slots do not count, and infinities rule decimals out", () => {
  const seen = new NumbersSeen({ kind: "int64" });
  seen.add({ form: "words", rows: 2, nulls: 1, validity: Uint8Array.of(1), values: BigInt64Array.of(5n, 2n ** 62n + 1n) });
  expect(seen.facts).toEqual({ integerDigits: 1, scale: 0, doubleExact: true });
  const doubles = new NumbersSeen({ kind: "double" });
  doubles.add({ form: "doubles", rows: 2, nulls: 0, validity: null, values: Float64Array.of(1.5, Number.POSITIVE_INFINITY) });
  expect(doubles.facts.integerDigits).toBeGreaterThan(38);
});
