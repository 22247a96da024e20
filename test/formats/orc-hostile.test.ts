import { deflateRawSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isFault } from "../../packages/core/src/domain/fault.ts";
import { chunk, IN, KIND, literals, orcBytes, type OrcParts } from "./orc-builder.ts";
import { openOrc, readCells } from "./orc-kit.ts";

/** The fault of a file that is refused, with how long that took and the memory it took. */
async function refusal(bytes: Uint8Array) {
  const before = process.memoryUsage();
  const started = process.cpuUsage();
  try {
    const table = await openOrc(bytes);
    for await (const batch of table.batches()) if (batch.rows < 0) throw new Error("unreachable");
  } catch (error) {
    if (!isFault(error)) throw error;
    const { user, system } = process.cpuUsage(started);
    const after = process.memoryUsage();
    return { code: error.code, message: error.message, ms: (user + system) / 1000, grown: after.rss - before.rss };
  }
  throw new Error("it was read");
}

const INT = { kind: KIND.int };
const ROW = (...subtypes: number[]) => ({ kind: KIND.struct, subtypes, names: subtypes.map((id) => `c${id}`) });

function ints(parts: Partial<OrcParts> & { readonly claimed?: number }, data: readonly number[] | Uint8Array = literals([1, 2, 3])) {
  const { claimed = 3, ...more } = parts;
  return orcBytes({
    types: [ROW(1), INT],
    stripes: [{ rows: claimed, streams: [{ column: 1, kind: IN.data, bytes: data }], encodings: [[0], [0]] }],
    ...more,
  });
}

test("a file that claims more rows than its streams hold is refused at once", async () => {
  for (const claimed of [4, 1_000, 2 ** 31 - 1, 2 ** 45]) {
    const { code, ms, grown } = await refusal(ints({ claimed }));
    expect(code).toBe("unreadable");
    expect(ms).toBeLessThan(500);
    expect(grown).toBeLessThan(64 * 2 ** 20);
  }
  expect(await refusal(ints({ rows: 4 }))).toMatchObject({
    code: "unreadable",
    message: expect.stringMatching(/footer says 4 rows, its stripes say 3/),
  });
});

test("lengths of texts, lists and dictionaries are not believed", async () => {
  const lie = 2 ** 31 - 1;
  const text = (streams: OrcParts["stripes"][0]["streams"], encoding: readonly [number, number?]) =>
    orcBytes({ types: [ROW(1), { kind: KIND.string }], stripes: [{ rows: 1, streams, encodings: [[0], encoding] }] });
  const lists = orcBytes({
    types: [ROW(1), { kind: KIND.list, subtypes: [2] }, INT],
    stripes: [{ rows: 1, streams: [{ column: 1, kind: IN.length, bytes: literals([lie], false) }], encodings: [[0], [0], [0]] }],
  });
  const files = [
    text(
      [
        { column: 1, kind: IN.length, bytes: literals([lie], false) },
        { column: 1, kind: IN.data, bytes: [65] },
      ],
      [0],
    ),
    text([{ column: 1, kind: IN.data, bytes: literals([0], false) }], [1, lie]),
    text(
      [
        { column: 1, kind: IN.data, bytes: literals([0], false) },
        { column: 1, kind: IN.length, bytes: literals([lie], false) },
      ],
      [1, 1],
    ),
    text(
      [
        { column: 1, kind: IN.data, bytes: literals([7], false) },
        { column: 1, kind: IN.length, bytes: literals([0], false) },
      ],
      [1, 1],
    ),
    lists,
  ];
  for (const file of files) {
    const { code, grown } = await refusal(file);
    expect(["unreadable", "limit_exceeded"]).toContain(code);
    expect(grown).toBeLessThan(64 * 2 ** 20);
  }
});

test("streams and footers that reach beyond the file are refused", async () => {
  const good = ints({});
  expect(await readCells(await openOrc(good))).toEqual([[1n], [2n], [3n]]);
  for (let length = 0; length < good.length; length++) {
    expect(["unreadable", "limit_exceeded"]).toContain((await refusal(good.subarray(0, length))).code);
  }
});

test("stripes that share their bytes are refused", async () => {
  const stripe = { rows: 3, streams: [{ column: 1, kind: IN.data, bytes: literals([1, 2, 3]) }], encodings: [[0], [0]] as const };
  expect(await readCells(await openOrc(orcBytes({ types: [ROW(1), INT], stripes: [stripe, stripe] })))).toHaveLength(6);
  const shared = orcBytes({ types: [ROW(1), INT], stripes: [stripe], stripeTimes: 3 });
  expect(await refusal(shared)).toMatchObject({ code: "unreadable", message: expect.stringMatching(/bytes together/) });
});

test("types that are no tree, or one too deep, are refused", async () => {
  const loops = [
    { types: [ROW(0)] },
    { types: [ROW(1, 1), INT] },
    { types: [ROW(1), { kind: KIND.list, subtypes: [1] }] },
    { types: [ROW(9), INT] },
    { types: [ROW(1), INT, INT] },
  ];
  for (const { types } of loops) expect((await refusal(ints({ types }))).code).toBe("unreadable");
  const deep = Array.from({ length: 20_000 }, (_, i) => ({ kind: KIND.list, subtypes: [i + 2] }));
  expect(await refusal(ints({ types: [ROW(1), ...deep, INT] }))).toMatchObject({
    code: "limit_exceeded",
    message: expect.stringMatching(/limit orcDepth, fixed/),
  });
  const wide = Array.from({ length: 16_385 }, (_, i) => i + 1);
  expect(await refusal(ints({ types: [ROW(...wide), ...wide.map(() => INT)] }))).toMatchObject({
    code: "limit_exceeded",
    message: expect.stringMatching(/limit columns/),
  });
});

test.each(["int", "timestamp"] as const)(
  "decompression and runs of a column of %s that make too much of few bytes are refused, the limit named",
  async (kind) => {
    // Runs of 512 equal numbers in four bytes each, deflated a thousandfold.
    const run = [0xc1, 0xff, 0, 0];
    const runs = Uint8Array.from({ length: 2 ** 18 }, (_, i) => run[i % 4] ?? 0);
    const stream = Array.from({ length: 64 }, () => chunk(deflateRawSync(runs))).flat();
    const bytes = orcBytes({
      types: [ROW(1), { kind: KIND[kind] }],
      stripes: [
        {
          rows: 64 * (runs.length / 4) * 512,
          streams: [IN.data, IN.secondary].map((which) => ({ column: 1, kind: which, bytes: stream })),
          encodings: [[2], [2]],
        },
      ],
      compression: 1,
      blockSize: 2 ** 18,
    });
    const { code, message, ms } = await refusal(bytes);
    expect(code).toBe("limit_exceeded");
    expect(message).toMatch(/limit ratio/);
    expect(ms).toBeLessThan(10_000);
  },
);

test("many columns whose blocks are each small do not fill the memory together", async () => {
  // Bytes that deflate some 800 times, less than the limit of the ratio.
  const block = Uint8Array.from({ length: 2 ** 18 }, (_, i) => (i % 8_000 === 0 ? (i >> 5) & 127 : 0));
  const deflated = chunk(deflateRawSync(block));
  const ids = Array.from({ length: 1_500 }, (_, i) => i + 1);
  const bytes = orcBytes({
    types: [ROW(...ids), ...ids.map(() => INT)],
    stripes: [
      {
        rows: 10_000,
        streams: ids.map((column) => ({ column, kind: IN.data, bytes: deflated })),
        encodings: [[0], ...ids.map(() => [0] as const)],
      },
    ],
    compression: 1,
    blockSize: 2 ** 18,
  });
  const { code, message, grown } = await refusal(bytes);
  expect(code).toBe("limit_exceeded");
  expect(message).toMatch(/limit heldBytes/);
  expect(grown).toBeLessThan(600 * 2 ** 20);
});

test("a dictionary of long values is refused as a bomb where a few bytes become hundreds of megabytes", async () => {
  const bytes = readFileSync(join(import.meta.dirname, "../fixtures/orc/dictionary-bomb.orc"));
  expect(await refusal(bytes)).toMatchObject({ code: "limit_exceeded", message: expect.stringMatching(/limit ratio/) });
});
