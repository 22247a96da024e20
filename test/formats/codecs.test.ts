import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { isFault } from "../../packages/core/src/domain/fault.ts";
import { bunzip2 } from "../../packages/core/src/formats/codecs/bzip2.ts";
import type { Codec } from "../../packages/core/src/formats/codecs/codec.ts";
import { gunzip } from "../../packages/core/src/formats/codecs/gzip.ts";
import { unxz } from "../../packages/core/src/formats/codecs/xz.ts";
import { unzstd } from "../../packages/core/src/formats/codecs/zstd.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/compressed");
const fixture = (name: string) => readFileSync(join(FOLDER, name));
const ROWS = fixture("rows.csv");

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface Decoded {
  readonly bytes: Buffer;
  readonly consumed: number;
  readonly longest: number;
}

async function decoded(codec: Codec, bytes: Uint8Array, size = 1_000): Promise<Decoded> {
  const parts: Uint8Array[] = [];
  let consumed = 0;
  for await (const part of codec(chunks(bytes, size))) {
    parts.push(part.bytes);
    expect(part.consumed).toBeGreaterThanOrEqual(consumed);
    consumed = part.consumed;
  }
  return { bytes: Buffer.concat(parts), consumed, longest: Math.max(0, ...parts.map((part) => part.length)) };
}

/** The content fault that decoding ends in, as `code: message`. */
async function refusal(codec: Codec, bytes: Uint8Array, size = 1_000): Promise<string> {
  try {
    await decoded(codec, bytes, size);
  } catch (error) {
    if (isFault(error) && error.blame === "content") return `${error.code}: ${error.message}`;
    throw error;
  }
  return "decoded";
}

const skippable = (bytes: Uint8Array) => {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a53, 0);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
};
const half = ROWS.indexOf("\n", ROWS.length / 2) + 1;

const SAMPLES: readonly [string, Codec, Buffer][] = [
  ["gzip", gunzip, gzipSync(ROWS)],
  [
    "gzip of three members, one empty",
    gunzip,
    Buffer.concat([gzipSync(ROWS.subarray(0, half)), gzipSync(""), gzipSync(ROWS.subarray(half))]),
  ],
  ["gzip with zeros behind it", gunzip, Buffer.concat([gzipSync(ROWS), Buffer.alloc(700)])],
  ["bzip2", bunzip2, fixture("rows.csv.bz2")],
  ["bzip2 of three streams, one empty", bunzip2, fixture("two-streams.csv.bz2")],
  ["xz", unxz, fixture("rows.csv.xz")],
  ["xz of two streams with padding between and behind", unxz, fixture("two-streams-and-padding.csv.xz")],
  ["xz with CRC-32", unxz, fixture("crc32.csv.xz")],
  ["xz without checksums", unxz, fixture("no-checksum.csv.xz")],
  ["zstd", unzstd, zstdCompressSync(ROWS)],
  [
    "zstd of two frames between frames to skip",
    unzstd,
    Buffer.concat([
      skippable(Buffer.from("size")),
      zstdCompressSync(ROWS.subarray(0, half)),
      skippable(Buffer.alloc(0)),
      zstdCompressSync(ROWS.subarray(half)),
      skippable(Buffer.alloc(3_000, 1)),
    ]),
  ],
];

describe.each(SAMPLES)("%s", (_, codec, bytes) => {
  // Byte by byte costs node:zlib's streams seconds.
  test.each([codec === gunzip ? 13 : 1, 1_000, 1e6])("is decoded whole when it comes in chunks of %i", async (size) => {
    const result = await decoded(codec, bytes, size);
    expect(result.bytes.equals(ROWS)).toBe(true);
    expect(result.consumed).toBeLessThanOrEqual(bytes.length);
  });

  test("is an error wherever it is cut off inside a stream", async () => {
    for (let length = 1; length < bytes.length; length += Math.ceil(bytes.length / 37)) {
      const result = await refusal(codec, bytes.subarray(0, length), 4_096);
      // Between two streams, or in what pads them, a file may end.
      if (result === "decoded") expect((await decoded(codec, bytes.subarray(0, length))).bytes.length).toBeGreaterThan(half - 1);
      else expect(result).toMatch(/^unreadable: /);
    }
  });

  test("is an error when something else follows it", async () => {
    for (const tail of ["x", "garbage", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"]) {
      expect(await refusal(codec, Buffer.concat([bytes, Buffer.from(tail)]))).toMatch(/^unreadable: /);
    }
  });
});

const CHECKED = SAMPLES.filter(([name]) => ["gzip", "bzip2", "xz", "zstd"].includes(name));
test.each(CHECKED)("%s: a flipped bit anywhere past the header never gives other bytes without an error", async (_, codec, bytes) => {
  // node's zstd writes no checksum unless asked; xz and gzip hold bits that mean nothing (times, names).
  for (let i = 1; i < 60; i++) {
    const damaged = Buffer.from(bytes);
    const at = Math.floor((i * bytes.length) / 60);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (i % 8));
    let result: Decoded;
    try {
      result = await decoded(codec, damaged, 1e6);
    } catch (error) {
      expect(isFault(error) && error.blame).toBe("content");
      continue;
    }
    if (codec !== unzstd) expect(result.bytes.equals(ROWS)).toBe(true);
  }
});

test("bzip2 blocks follow one another, and each has its checksum compared", async () => {
  const bytes = fixture("three-blocks.csv.bz2");
  expect((await decoded(bunzip2, bytes, 333)).bytes.equals(fixture("three-blocks.csv"))).toBe(true);
  const magic = Buffer.from("314159265359", "hex");
  const damaged = Buffer.from(bytes);
  damaged[bytes.indexOf(magic) + 8] = (damaged[bytes.indexOf(magic) + 8] ?? 0) ^ 1;
  expect(await refusal(bunzip2, damaged)).toMatch(/checksum of a block does not agree/);
  const stream = Buffer.from(bytes);
  stream[bytes.length - 3] = (stream[bytes.length - 3] ?? 0) ^ 16;
  expect(await refusal(bunzip2, stream)).toMatch(/checksum of the stream does not agree/);
});

test("a zstd frame whose checksum does not agree is refused", async () => {
  const { ZSTD_c_checksumFlag } = (await import("node:zlib")).constants;
  const bytes = zstdCompressSync(ROWS, { params: { [ZSTD_c_checksumFlag]: 1 } });
  expect((await decoded(unzstd, bytes)).bytes.equals(ROWS)).toBe(true);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  expect(await refusal(unzstd, bytes)).toMatch(/^unreadable: the zstd stream is broken/);
});

test("what needs more memory than allowed, or a filter that is not there, is refused by name", async () => {
  expect(await refusal(unxz, fixture("dictionary-of-256-mib.csv.xz"))).toMatch(/^limit_exceeded: .*limit xzDictionary/);
  expect(await refusal(unxz, fixture("sha256.csv.xz"))).toMatch(/^unsupported_format: .*SHA-256/);
  const huge = Buffer.from("28b52ffd00a8010000", "hex"); // no single segment, window descriptor 0xa8: 2^31 bytes
  expect(await refusal(unzstd, huge)).toMatch(/^limit_exceeded: .*2147483648 bytes.*limit zstdWindow/);
  const single = Buffer.from("28b52ffde0ffffffffffffff0f010000", "hex"); // one segment of 2^60 bytes
  expect(await refusal(unzstd, single)).toMatch(/^limit_exceeded: .*limit zstdWindow/);
});

test("output comes in small steps even where a few bytes stand for millions", async () => {
  const blanks = Buffer.alloc(32 * 2 ** 20, "\n");
  for (const [codec, bytes] of [
    [gunzip, gzipSync(blanks)],
    [unzstd, zstdCompressSync(blanks)],
  ] as const) {
    const { longest, bytes: all } = await decoded(codec, bytes, 1e6);
    expect(all.length).toBe(blanks.length);
    expect(longest).toBeLessThanOrEqual(4 * 2 ** 20);
  }
});

test("a bzip2 block larger than what is usually read ahead is read all the same, and a small one asks for little", async () => {
  // Noise in one block: its packed form is as long.
  const asked: number[] = [];
  const feed = async function* (bytes: Uint8Array, size: number) {
    for (let at = 0; at < bytes.length; at += size) {
      asked.push(at);
      yield bytes.subarray(at, at + size);
    }
  };
  for await (const part of bunzip2(feed(fixture("noise.bin.bz2"), 50_000))) expect(part.bytes.length).toBeGreaterThan(0);
  expect((await decoded(bunzip2, fixture("noise.bin.bz2"), 50_000)).bytes.length).toBe(320_000);
  const many = Buffer.concat(Array<Buffer>(60).fill(fixture("rows.csv.bz2")));
  asked.length = 0;
  for await (const part of bunzip2(feed(many, 50_000))) {
    expect(part.bytes.length).toBeGreaterThan(0);
    break;
  }
  expect(Math.max(...asked)).toBeLessThanOrEqual(300_000);
});
