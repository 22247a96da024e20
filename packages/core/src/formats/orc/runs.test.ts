import { expect, test } from "vitest";
import { ByteStream } from "./byte-stream.ts";
import { Chunks, Compression } from "./chunks.ts";
import { DEFAULT_LIMITS } from "../../domain/convert-limits.ts";
import { HeldBytes } from "./held-bytes.ts";
import { RleBits, RleBytes } from "./rle-byte.ts";
import type { RleInts } from "./rle-int.ts";
import { RleIntsV1 } from "./rle-int-v1.ts";
import { RleIntsV2 } from "./rle-int-v2.ts";
import { asWords } from "./words.ts";

const LIMITS = { ...DEFAULT_LIMITS, chunkBytes: 1024 };

function streamOf(bytes: readonly number[]): ByteStream {
  const file = Uint8Array.from(bytes);
  const source = { size: file.length, read: async (from: number, to: number) => file.subarray(from, to) };
  const postscript = { footerLength: 0, metadataLength: 0, compression: "none", blockSize: 1024, version: [] } as const;
  const span = { from: 0, length: file.length, readBytes: 4 };
  return new ByteStream(new Chunks(source, new Compression(postscript, LIMITS), span), new HeldBytes(2 ** 20));
}

async function numbers(ints: RleInts, count: number): Promise<bigint[]> {
  const halves = new Int32Array(count * 2);
  await ints.read(halves, count);
  return [...asWords(halves)];
}

const v1 = (bytes: readonly number[], count: number, signed = false) => numbers(new RleIntsV1(streamOf(bytes), signed), count);
const v2 = (bytes: readonly number[], count: number, signed = false) => numbers(new RleIntsV2(streamOf(bytes), signed), count);
const big = (values: readonly number[]) => values.map(BigInt);

test("runs of version 1 are those of the specification's examples", async () => {
  expect(await v1([0x61, 0x00, 0x07], 100)).toEqual(Array<bigint>(100).fill(7n));
  expect(await v1([0x61, 0xff, 0x64], 100)).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(100 - i)));
  expect(await v1([0xfb, 0x02, 0x03, 0x06, 0x07, 0x0b], 5)).toEqual(big([2, 3, 6, 7, 11]));
});

test("runs of version 2 are those of the specification's examples", async () => {
  expect(await v2([0x0a, 0x27, 0x10], 5)).toEqual(Array<bigint>(5).fill(10_000n));
  expect(await v2([0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef], 4)).toEqual(big([23_713, 43_806, 57_005, 48_879]));
  const patched = [
    0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3c, 0x46, 0x50, 0x5a, 0x64, 0x6e, 0x78, 0x82, 0x8c, 0x96,
    0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8,
  ];
  const values = [2030, 2000, 2020, 1_000_000, ...Array.from({ length: 16 }, (_, i) => 2040 + i * 10)];
  expect(await v2(patched, 20, true)).toEqual(big(values));
  expect(await v2([0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46], 10)).toEqual(big([2, 3, 5, 7, 11, 13, 17, 19, 23, 29]));
});

test("numbers at the ends of 64 bits survive, and steps wrap as 64 bits do", async () => {
  const lowest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
  expect(await v1([0xff, ...lowest], 1, true)).toEqual([-(2n ** 63n)]);
  expect(await v1([0x00, 0xff, ...lowest], 3, true)).toEqual([-(2n ** 63n), 2n ** 63n - 1n, 2n ** 63n - 2n]);
  expect(await v1([0x00, 0x7f, 0xfe, 0xff, 0xff, 0xff, 0x1f], 3, true)).toEqual([2n ** 32n - 1n, 2n ** 32n + 126n, 2n ** 32n + 253n]);
});

test("what is asked for need not end where a run does", async () => {
  const ints = new RleIntsV1(streamOf([0x61, 0x01, 0x00, 0xfe, 0x05, 0x06]), false);
  const parts = [await numbers(ints, 3), await numbers(ints, 90), await numbers(ints, 9)];
  expect(parts.flat()).toEqual([...Array.from({ length: 100 }, (_, i) => BigInt(i)), 5n, 6n]);
  await expect(numbers(ints, 1)).rejects.toMatchObject({ code: "unreadable" });
});

test("runs that are cut off, patches beyond their run and varints without end are refused", async () => {
  for (const bytes of [
    [0x5e],
    [0x5e, 0x03, 0x5c],
    [0x8e, 0x13, 0x2b],
    [0xc6, 0x09],
    [0x0a, 0x27],
    [0x8e, 0x00, 0x2b, 0xe1, 7, 0xd0, 30, 0xff, 0xff],
  ]) {
    await expect(v2(bytes, 4)).rejects.toMatchObject({ code: "unreadable" });
  }
  await expect(v1([0xff, ...Array<number>(12).fill(0xff)], 1)).rejects.toMatchObject({ code: "unreadable" });
});

test("bytes and bits come in runs and as they are, across what is asked for at a time", async () => {
  const bytes = new RleBytes(streamOf([0x61, 0x00, 0xfe, 0x44, 0x45]));
  const out = new Uint8Array(60);
  await bytes.read(out, 60);
  await bytes.read(out, 42);
  expect([...out.subarray(0, 42)]).toEqual([...Array<number>(40).fill(0), 0x44, 0x45]);
  const bits = new RleBits(streamOf([0xfe, 0b1010_0110, 0b1100_0000]));
  expect(await bits.read(3)).toEqual({ bits: Uint8Array.of(1, 0, 1), ones: 2 });
  expect(await bits.read(7)).toEqual({ bits: Uint8Array.of(0, 0, 1, 1, 0, 1, 1), ones: 4 });
});
