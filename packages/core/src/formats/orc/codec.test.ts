import { expect, test } from "vitest";
import { deflateRawSync, zstdCompressSync } from "node:zlib";
import { decompressorFor } from "./codec.ts";
import { COMPRESSIONS, type OrcCompression } from "./footer.ts";

const LIMIT = 1_000;
const decode = (codec: OrcCompression, bytes: readonly number[] | Uint8Array, limit = LIMIT) =>
  Buffer.from(decompressorFor(codec)?.(Uint8Array.from(bytes), limit) ?? []).toString("latin1");
const text = (value: string) => [...Buffer.from(value)];

/** "abcde", then three bytes from five back, then ten from one back, which overlap what they make. */
const EXPECTED = "abcdeabccccccccccc";
const CHUNKS: Readonly<Record<Exclude<OrcCompression, "none">, readonly number[] | Uint8Array>> = {
  zlib: deflateRawSync(EXPECTED),
  zstd: zstdCompressSync(EXPECTED),
  snappy: [18, 4 << 2, ...text("abcde"), (2 << 2) | 2, 5, 0, ((10 - 4) << 2) | 1, 1],
  // Its matches have at least four bytes, and its last sequence is of literals.
  lz4: [0x54, ...text("abcde"), 5, 0, 0x23, ...text("cc"), 1, 0, 0x10, ...text("c")],
  lzo: [17 + 5, ...text("abcde"), 0x40 | (4 << 2), 0, 32 | 8, 0, 0, 0x11, 0, 0],
};

test.each(["zlib", "zstd", "snappy", "lzo"] as const)("a %s chunk is decoded, matches that overlap themselves too", (codec) => {
  expect(decode(codec, CHUNKS[codec])).toBe(EXPECTED);
});

test("an lz4 chunk is decoded: long literals, long matches, a last sequence of literals only", () => {
  const literals = "x".repeat(20);
  const long = [0xf0, 5, ...text(literals), 1, 0];
  expect(decode("lz4", [...long, 0x20, ...text("yz")])).toBe(`${literals}xxxxyz`);
  expect(decode("lz4", [0x1f, ...text("a"), 1, 0, 255, 10, 0x10, ...text("b")])).toBe(`${"a".repeat(1 + 4 + 15 + 255 + 10)}b`);
});

test("an lzo chunk's other instructions: long literals, short matches after literals, far ones", () => {
  // 3 + 15 + 2 literals, then two bytes from near with one literal behind, then a length in bytes of its own.
  const start = "abcdefghijklmnopqrst";
  expect(decode("lzo", [0, 2, ...text(start), 0x11, 0, 0])).toBe(start);
  expect(decode("lzo", [17 + 3, ...text("abc"), (2 << 2) | 1, 0, ...text("Z"), 0x11, 0, 0])).toBe("abcabZ");
  expect(decode("lzo", [17 + 4, ...text("abcd"), 32, 2, 3 << 2, 0, 0x11, 0, 0])).toBe("abcd".repeat(10).slice(0, 4 + 35));
});

test.each(COMPRESSIONS.filter((codec) => codec !== "none"))("a %s chunk that is cut off or holds more than a block is refused", (codec) => {
  const bytes = Uint8Array.from(CHUNKS[codec]);
  expect(() => decode(codec, bytes, 10)).toThrow(expect.objectContaining({ code: "unreadable" }));
  if (codec !== "lzo") expect(() => decode(codec, bytes.subarray(0, 4))).toThrow(expect.objectContaining({ code: "unreadable" }));
  else expect(() => decode(codec, bytes.subarray(0, 4))).toThrow(/cut off/);
});

test("copies from before the start are refused", () => {
  for (const [codec, bytes] of [
    ["snappy", [8, 0, 97, (3 << 2) | 2, 9, 0]],
    ["lz4", [0x10, 97, 9, 0, 0x10, 98]],
    ["lzo", [18, 97, 0x40 | (4 << 2), 0, 0x11, 0, 0]],
  ] as const) {
    expect(() => decode(codec, bytes)).toThrow(/before its start/);
  }
});
