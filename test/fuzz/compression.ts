import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import { randomOf } from "../../bench/csv.ts";
import { isFault } from "../../packages/core/src/domain/fault.ts";
import { bunzip2 } from "../../packages/core/src/formats/codecs/bzip2.ts";
import type { Codec } from "../../packages/core/src/formats/codecs/codec.ts";
import { gunzip, inflateRaw } from "../../packages/core/src/formats/codecs/gzip.ts";
import { unxz } from "../../packages/core/src/formats/codecs/xz.ts";
import { unzstd } from "../../packages/core/src/formats/codecs/zstd.ts";
import { convertBytes } from "../formats/convert-kit.ts";
import { zipOf } from "../formats/zip-writer.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/compressed");
const fixture = (name: string) => readFileSync(join(FOLDER, name));
/** What a mutant may decode to before it is left alone: a flipped bit can make an honest bomb. */
const ENOUGH = 64 * 2 ** 20;

interface Sample {
  readonly name: string;
  readonly bytes: Buffer;
  readonly read: (bytes: Uint8Array, chunk: number) => Promise<void>;
}

function samples(): Sample[] {
  const rows = fixture("rows.csv").subarray(0, 9_000);
  const codecs: readonly [string, Codec, Buffer][] = [
    ["gzip", gunzip, Buffer.concat([gzipSync(rows), gzipSync(rows)])],
    ["deflate", inflateRaw, deflateRawSync(rows)],
    ["bz2", bunzip2, fixture("two-streams.csv.bz2")],
    ["bz2 in blocks", bunzip2, fixture("three-blocks.csv.bz2")],
    ["xz", unxz, fixture("two-streams-and-padding.csv.xz")],
    ["zstd", unzstd, Buffer.concat([zstdCompressSync(rows), zstdCompressSync(rows)])],
  ];
  const zip = zipOf([
    { name: "a.csv", content: "id,name\n1,x\n2,y\n" },
    { name: "b.csv.gz", content: gzipSync("id,name\n3,z\n"), method: 0, zip64: true },
    { name: "c.csv", content: "id,name\n4,w\n", descriptor: true },
  ]);
  return [
    ...codecs.map(([name, codec, bytes]) => ({
      name,
      bytes,
      read: (mutant: Uint8Array, chunk: number) => decodeAll(codec, mutant, chunk),
    })),
    { name: "zip", bytes: zip, read: convertZip },
    { name: "zip", bytes: zip, read: convertZip },
  ];
}

async function decodeAll(codec: Codec, bytes: Uint8Array, chunk: number): Promise<void> {
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
  };
  let decoded = 0;
  let consumed = 0;
  for await (const part of codec(chunks())) {
    if (part.consumed < consumed || part.consumed > bytes.length)
      throw new Error(`consumed ${part.consumed} after ${consumed} of ${bytes.length}`);
    consumed = part.consumed;
    decoded += part.bytes.length;
    if (decoded > ENOUGH) return;
  }
}

async function convertZip(bytes: Uint8Array): Promise<void> {
  const { outcome } = await convertBytes("a.csv.zip", bytes, { limits: { decodedBytes: ENOUGH } });
  if (outcome.kind === "failed") throw new Refused();
}

class Refused extends Error {}

/** What became of mutated files. */
export interface FuzzCounts {
  readonly read: number;
  readonly refused: number;
}

/**
 * Decodes seeded mutations of compressed files, and converts those of a zip, in chunks of random sizes. Each must be read or
 * refused by a fault of blame content; anything else is thrown, with the seed and the round that made it.
 */
export async function fuzz(seed: number, rounds: number): Promise<FuzzCounts> {
  const all = samples();
  const counts = { read: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const random = randomOf(seed * 1_000_003 + round);
    const below = (n: number) => Math.floor(random() * n);
    const { name, bytes, read } = all[round % all.length] ?? all[0]!;
    const mutant = mutated(bytes, below);
    try {
      await read(mutant, 1_000 + below(mutant.length + 8));
      counts.read++;
    } catch (error) {
      if (!(error instanceof Refused) && !(isFault(error) && error.blame === "content")) {
        throw new Error(`${name}, seed ${seed}, round ${round}: ${String(error)}`, { cause: error });
      }
      counts.refused++;
    }
  }
  return counts;
}

/** One to three damages: bits flipped, numbers made extreme, pieces cut out, doubled or moved, the end cut off. */
function mutated(bytes: Buffer, below: (n: number) => number): Buffer {
  let mutant = Buffer.from(bytes);
  for (let n = 1 + below(3); n > 0 && mutant.length > 8; n--) {
    // Half of them where headers and directories lie.
    const edge = Math.min(mutant.length, 200);
    const at = below(2) === 0 ? below(mutant.length) : below(2) === 0 ? below(edge) : mutant.length - 1 - below(edge);
    const length = Math.min(1 + below(16), mutant.length - at);
    switch (below(6)) {
      case 0:
        mutant[at] = (mutant[at] ?? 0) ^ (1 << below(8));
        break;
      case 1:
        mutant.fill(below(2) * 255, at, at + length);
        break;
      case 2:
        mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(at + length)]);
        break;
      case 3:
        mutant = Buffer.concat([mutant.subarray(0, at + length), mutant.subarray(at)]);
        break;
      case 4:
        mutant[at] = below(256);
        break;
      case 5:
        mutant = mutant.subarray(0, Math.max(1, at));
        break;
    }
  }
  return mutant;
}
