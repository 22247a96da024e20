import { expect, test } from "vitest";
import { indexAt, numberAt } from "./number-bytes.ts";

const read = (text: string) => numberAt(Buffer.from(`>${text}</v>`), 1, 1 + text.length);

test.each([
  "0",
  "-0",
  "7",
  "-1.5",
  "0.1",
  "123456789012345",
  "1234567890123456789",
  "0.30000000000000004",
  "9007199254740993",
  "1e3",
  "1E+3",
  "-2.5e-7",
])("%s is read", (text) => expect(Object.is(read(text), Number(text))).toBe(true));

test.each([
  "179769313486231570000e289",
  "5e-324",
  "2.2250738585072011e-308",
  "123456789012345678901234567890",
  "0.000000000000000000000000000001",
  ".5",
  "5.",
  "+5",
  " 7 ",
  "\n-8.25\t",
])("%j is read by the longer way", (text) => expect(read(text)).toBe(Number(text)));

test.each(["", "-", ".", "e5", "1e", "1e+", "1.2.3", "1,5", "0x10", "NaN", "Infinity", "1 2", "1e1.5", "--1"])(
  "%j is no number",
  (text) => {
    expect(read(text)).toBeNaN();
  },
);

test("every number reads as the engine reads it, whatever its digits and its exponent", () => {
  let seed = 7;
  const random = () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const bits = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < 50_000; i++) {
    const digits = Array.from({ length: 1 + Math.floor(random() * 21) }, () => Math.floor(random() * 10)).join("");
    const point = Math.floor(random() * (digits.length + 1));
    bits.setUint32(0, 0x3a000000 + Math.floor(random() * 0x0a000000));
    bits.setUint32(4, random() * 2 ** 32);
    const double = bits.getFloat64(0);
    // Halves of the way between two doubles are the hardest to round.
    const half = String((BigInt(2 ** 52) + BigInt(Math.floor(random() * 2 ** 52))) * 2n + 1n);
    for (const text of [
      `${digits.slice(0, point)}.${digits.slice(point)}`,
      String(double),
      double.toPrecision(17),
      `${digits}e${Math.floor(random() * 40) - 20}`,
      half,
    ]) {
      if (!Object.is(read(text), Number(text))) expect(`${text} as ${read(text)}`).toBe(`${text} as ${Number(text)}`);
    }
  }
});

test("an index is digits alone", () => {
  const index = (text: string) => indexAt(Buffer.from(text), 0, text.length);
  expect([index("0"), index("42"), index("999999999"), index(" 5 ")]).toEqual([0, 42, 999_999_999, 5]);
  expect([index(""), index("-1"), index("1.5"), index("1000000000"), index("x")]).toEqual([-1, -1, -1, -1, -1]);
});
