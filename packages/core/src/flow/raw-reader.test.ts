import { describe, expect, it } from "vitest";
import type { ObjectStore } from "../ports/object-store.ts";
import { rawReader } from "./raw-reader.ts";

/** The one method of the port that a reader uses, over bytes in memory, counting what was opened and closed. */
function source(bytes: Uint8Array, chunk: number) {
  const seen = { opened: 0, closed: 0 };
  const get: ObjectStore["get"] = (_key, range) => {
    seen.opened += 1;
    return Promise.resolve(
      (async function* () {
        try {
          for (let at = range?.start ?? 0; at < bytes.length; at += chunk)
            yield await Promise.resolve(bytes.subarray(at, Math.min(bytes.length, at + chunk)));
        } finally {
          seen.closed += 1;
        }
      })(),
    );
  };
  return { seen, objects: { get } as ObjectStore };
}

const bytes = (size: number) => Uint8Array.from({ length: size }, (_, at) => (at * 31) % 251);

describe("reading raw bytes", () => {
  it("serves any order of overlapping reads with the right bytes", async () => {
    const data = bytes(3 * 2 ** 20);
    const { objects } = source(data, 65_536);
    await using reader = rawReader(objects, "raw/0/x", data.length);
    for (const [offset, length] of [
      [0, 100],
      [100, 1 << 20],
      [2 ** 20, 5],
      [10, 10],
      [data.length - 3, 100],
      [data.length, 10],
    ] as const) {
      expect(Buffer.from(await reader.read(offset, length)).equals(data.subarray(offset, offset + length))).toBe(true);
    }
  });

  it("opens one stream for reads in sequence, asked for at once too, and closes it at the end", async () => {
    const data = bytes(4 * 2 ** 20);
    const { objects, seen } = source(data, 100_000);
    {
      await using reader = rawReader(objects, "raw/0/x", data.length);
      const parts = await Promise.all([0, 1, 2].map((at) => reader.read(at * 2 ** 20, 2 ** 20)));
      expect(Buffer.concat(parts).equals(data.subarray(0, 3 * 2 ** 20))).toBe(true);
      expect(seen.opened).toBe(1);
    }
    expect(seen.closed).toBe(1);
  });

  it("reads a small object once, however often it is asked for", async () => {
    const data = bytes(10_000);
    const { objects, seen } = source(data, 1_000);
    await using reader = rawReader(objects, "raw/0/x", data.length);
    await reader.read(0, 10_000);
    expect(Buffer.from(await reader.read(5_000, 10)).equals(data.subarray(5_000, 5_010))).toBe(true);
    expect(seen.opened).toBe(1);
  });
});
