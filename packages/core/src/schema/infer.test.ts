import { expect, test } from "vitest";
import { typeName } from "../domain/table-schema.ts";
import { coerce } from "./coerce.ts";
import { infer } from "./infer.ts";
import { newObservation, observe } from "./observe.ts";
import { textAt } from "./render.ts";

function inferOf(cells: readonly (string | null)[]): string {
  const seen = newObservation();
  observe(seen, cells, true);
  return typeName(infer(seen).whole);
}

test.each([
  [[null, null], "unknown"],
  [[null, ""], "text"],
  [[" "], "text"],
  [["1", null, ""], "int64"],
  [["-9223372036854775808", "9223372036854775807"], "int64"],
  [["-9223372036854775809"], "decimal(38,0)"],
  [["-0"], "double"],
  [["0", "-5"], "int64"],
  [["00"], "text"],
  [["-01"], "text"],
  [["00.5"], "text"],
  [["0.5", "1"], "double"],
  [[".5", "5."], "double"],
  [["1e3", "1E-3", "1e+3"], "double"],
  [["1e"], "text"],
  [["1e400"], "text"],
  [["1e-400"], "text"],
  [["-"], "text"],
  [["."], "text"],
  [["+1"], "text"],
  [["0.1234567890123456789"], "decimal(38,19)"],
  [["0.30000000000000004"], "double"],
  [["123456789012345678901234567890.123456789"], "text"],
  [["1.00000000000000000000"], "double"],
  [["true", "1"], "text"],
  [["true", "False"], "bool"],
  [["tRue"], "text"],
  [["2024-02-30"], "text"],
  [["2024-1-1"], "text"],
  [["0000-01-01"], "text"],
  [["24:00"], "text"],
  [["10:00", "10:00:00.123456"], "time"],
  [["10:00:00.1234567"], "text"],
  [["10:00", "2024-01-01"], "text"],
  [["2024-01-01", "2024-01-01T10:00"], "timestamp"],
  [["2024-01-01T10:00Z", "2024-01-01 10:00:00.5+05:30", "2024-01-01 10:00:00-08", "2024-01-01T10:00+0100"], "timestamptz"],
  [["2024-01-01", "2024-01-01T10:00Z"], "text"],
  [["2024-01-01T10:00:00.123456789"], "timestamp_ns"],
  [["1500-01-01T10:00:00.123456789"], "text"],
  [["2024-01-01T10:00:00.1234567890"], "text"],
  [["2024-01-01X10:00"], "text"],
  [["2024-01-01T10:00:60"], "text"],
])("%j is %s", (cells, type) => {
  expect(inferOf(cells)).toBe(type);
});

test("what a type was inferred from is read back under it, digit for digit", () => {
  for (const [cells, shown] of [
    [
      ["9007199254740993", "-9007199254740993", "-4294967296", "4294967295", "2147483648", "-2147483649", "-1", "0", "999999999999999"],
      null,
    ],
    [["12345678901234567.89", "-0.01"], null],
    [["1969-12-31", "0001-01-01", "9999-12-31", "2024-02-29"], null],
    [["1969-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999", "0001-01-01T00:00:00"], null],
    [["1677-12-31T00:00:00.5", "2261-12-31T23:59:59.999999"], null],
    [["1678-01-01T00:00:00.123456789", "2261-12-31T23:59:59.999999999"], null],
    [
      ["2024-01-01T01:00:00+01:00", "2023-12-31T16:00:00-08"],
      ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"],
    ],
    [["10:30:00.5", "23:59:59"], null],
  ] as const) {
    const seen = newObservation();
    observe(seen, cells, true);
    const type = infer(seen).whole;
    const bad: number[] = [];
    const data = coerce(cells, type, { declared: false }, (row) => bad.push(row));
    expect(bad).toEqual([]);
    expect(cells.map((_, row) => textAt(data, type, row))).toEqual(shown ?? cells);
  }
});

test("random numbers lose nothing under the type that was found for them", () => {
  let seed = 7;
  const random = () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  for (let round = 0; round < 2_000; round++) {
    const cells = Array.from({ length: 4 }, () => {
      const digits =
        String(Math.floor(random() * 10 ** Math.ceil(random() * 15))) + (random() < 0.3 ? String(Math.floor(random() * 1e9)) : "");
      const whole = digits.replace(/^0+(?=\d)/, "");
      return (random() < 0.3 ? "-" : "") + (random() < 0.5 && whole !== "0" ? whole : `${whole}.${Math.floor(random() * 1e6)}1`);
    });
    const seen = newObservation();
    observe(seen, cells, true);
    const type = infer(seen).whole;
    const data = coerce(cells, type, { declared: false }, (_, cell) => expect.fail(`${cell} under ${typeName(type)}`));
    cells.forEach((cell, row) => {
      const back = textAt(data, type, row) ?? "";
      const plain = (text: string) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);
      if (!back.includes("e")) expect(plain(back), cell).toBe(plain(cell));
    });
  }
});
