import { snappyUncompress } from "hyparquet";
import { expect, it } from "vitest";
import { snappy } from "./snappy.ts";

function unpacked(bytes: Uint8Array, length: number): Buffer {
  const out = new Uint8Array(length);
  snappyUncompress(bytes, out);
  return Buffer.from(out);
}

let state = 7;
const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 4_294_967_296;
const bytes = (length: number, values: number) => Buffer.from(Array.from({ length }, () => Math.floor(random() * values)));

it("comes out as it went in, whatever its length and however much of it repeats", () => {
  for (const length of [0, 1, 3, 4, 5, 59, 60, 61, 62, 255, 256, 257, 1_000, 65_535, 65_536, 65_537, 200_000]) {
    for (const values of [1, 2, 7, 256]) {
      const input = bytes(length, values);
      expect(unpacked(snappy(input), length).equals(input), `${length} bytes of ${values} values`).toBe(true);
    }
  }
});

it("makes what repeats small, and what does not hardly longer", () => {
  const text = Buffer.from("a line of text that comes again and again\n".repeat(5_000));
  expect(snappy(text).length).toBeLessThan(text.length / 15);
  const noise = bytes(100_000, 256);
  expect(snappy(noise).length).toBeLessThan(noise.length * 1.01);
});

it("copies across a distance of just under 64 KB, and none that is longer", () => {
  const input = Buffer.concat([bytes(65_530, 256), bytes(10, 256)]);
  input.copy(input, 65_524, 0, 16);
  const twice = Buffer.concat([input, input]);
  expect(unpacked(snappy(twice), twice.length).equals(twice)).toBe(true);
});
