import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parquet } from "../../packages/core/src/formats/parquet.ts";
import { convertBytes, failedWith, loaded, typesOf } from "./convert-kit.ts";
import { bits, IN, KIND, literalBytes, literals, orcBytes, type OrcParts, type TypePart } from "./orc-builder.ts";
import { type Cell, Digits, factsOf, type FileFacts, Fields, Moment, openOrc, openWith, readCells } from "./orc-kit.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/orc");
const fixture = (name: string) => readFileSync(join(FOLDER, name));
const FACTS = JSON.parse(readFileSync(join(FOLDER, "facts.json"), "utf8")) as Record<string, FileFacts>;
/** Files of which there are no facts: tests below name them. */
const WITHOUT_FACTS = new Set(["bad-utf8.orc", "dictionary-bomb.orc", "far-times.orc", "wide.orc"]);

test("every fixture is there with its facts", () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".orc"));
  expect(files.filter((name) => !(name in FACTS) && !WITHOUT_FACTS.has(name))).toEqual([]);
});

test.each(Object.keys(FACTS))("%s is read as pyarrow reads it", async (name) => {
  expect(await factsOf(await openOrc(fixture(name)))).toEqual(FACTS[name]);
});

test.each(["zlib.orc", "nested.orc", "stripes.orc", "one-row.orc", "times.orc"])(
  "%s comes out of the Parquet written as it went in",
  async (name) => {
    const result = await convertBytes("x.orc", fixture(name));
    const rows = FACTS[name]?.rows;
    expect(loaded(result.outcome).counts).toMatchObject({ read: rows, loaded: rows, rejected: 0, warnings: 0 });
    expect(result.parts).toHaveLength(1);
    expect(await factsOf(await openWith(parquet, result.parts[0]!))).toEqual(FACTS[name]);
  },
);

test("columns of every type have the types that hold them", async () => {
  const { outcome } = await convertBytes("x.orc", fixture("zlib.orc"));
  expect(typesOf(outcome)).toEqual({
    bool: "bool",
    i8: "int64",
    i16: "int64",
    i32: "int64",
    i64: "int64",
    f32: "double",
    f64: "double",
    text: "text",
    binary: "binary",
    date: "date",
    ts: "timestamp(false,us)",
    tz: "timestamp(true,us)",
    d9: "decimal(9,2)",
    d38: "decimal(38,10)",
  });
});

test("ORC without rows is loaded with its columns, and ORC beneath gzip is read too", async () => {
  const { gzipSync } = await import("node:zlib");
  const empty = await convertBytes("x.orc", fixture("empty.orc"));
  expect(loaded(empty.outcome).counts).toMatchObject({ read: 0, loaded: 0 });
  expect(Object.keys(typesOf(empty.outcome))).toHaveLength(14);
  const zipped = await convertBytes("x.orc.gz", gzipSync(fixture("zlib.orc")));
  expect(loaded(zipped.outcome).counts).toMatchObject({ read: 300, loaded: 300 });
});

test("years that nanoseconds cannot reach are kept to the microsecond", async () => {
  const table = await openOrc(fixture("far-times.orc"));
  expect(table.columns).toEqual([{ name: "us", type: { kind: "timestamp", zone: false, unit: "us" } }]);
  const micros = (text: string) => BigInt(Date.parse(text)) * 1_000_000n;
  expect((await readCells(table)).map(([cell]) => cell && (cell as Moment).since)).toEqual([
    micros("0001-01-01T00:00:00Z"),
    micros("1600-02-29T01:02:03Z") + 456_789_000n,
    micros("9999-12-31T23:59:59Z") + 999_999_000n,
    null,
  ]);
});

/** A file of one stripe with one column, version 1 encodings. */
function oneColumn(
  type: TypePart,
  rows: number,
  streams: readonly (readonly [number, readonly number[]])[],
  more: Partial<OrcParts> & { timezone?: string } = {},
) {
  const { timezone, ...parts } = more;
  return orcBytes({
    types: [{ kind: KIND.struct, subtypes: [1], names: ["c"] }, type],
    stripes: [
      {
        rows,
        streams: streams.map(([kind, bytes]) => ({ column: 1, kind, bytes })),
        encodings: [[0], [0]],
        ...(timezone === undefined ? {} : { timezone }),
      },
    ],
    ...parts,
  });
}

const columnOf = async (bytes: Uint8Array): Promise<Cell[]> => (await readCells(await openOrc(bytes))).map(([cell]) => cell ?? null);
const EPOCH = 1_420_070_400;

test("local timestamps are those of the writer's clock, through summer time and before 1970", async () => {
  const timestamps = (seconds: readonly number[], nanos: readonly number[], timezone: string) =>
    columnOf(
      oneColumn(
        { kind: KIND.timestamp },
        seconds.length,
        [
          [IN.data, literals(seconds)],
          [IN.secondary, literals(nanos, false)],
        ],
        { timezone },
      ),
    );
  const wall = (cells: Cell[]) => cells.map((cell) => new Date(Number((cell as Moment).since / 1_000_000n)).toISOString());
  // New York is five hours behind UTC at the epoch and four in summer: seconds count from its own midnight.
  const zero = await timestamps([0, 200 * 86_400], [0, 0], "America/New_York");
  expect(wall(zero)).toEqual(["2015-01-01T00:00:00.000Z", "2015-07-20T01:00:00.000Z"]);
  // 2015-03-08: two o'clock is three.
  const spring = await timestamps([66 * 86_400 + 7_199, 66 * 86_400 + 7_200], [0, 0], "America/New_York");
  expect(wall(spring)).toEqual(["2015-03-08T01:59:59.000Z", "2015-03-08T03:00:00.000Z"]);
  // Half a second before 1969-12-31T23:59:59Z, which writers cut towards zero: the nanoseconds tell.
  const negative = await timestamps([-EPOCH - 1, -EPOCH - 1], [(5 << 3) | 7, 500 << 3], "UTC");
  expect(negative).toEqual([new Moment(-1_500_000_000n, false), new Moment(-999_999_500n, false)]);
  expect(wall(await timestamps([0], [0], "GMT+08:00"))).toEqual(["2015-01-01T00:00:00.000Z"]);
  await expect(timestamps([0], [0], "Mars/Olympus")).rejects.toMatchObject({
    code: "unsupported_format",
    message: expect.stringMatching(/Mars\/Olympus/),
  });
});

test("a timestamp that loses nanoseconds because another lies too far away is counted", async () => {
  const far = 400 * 366 * 86_400;
  const bytes = oneColumn({ kind: KIND.timestamp }, 3, [
    [IN.data, literals([0, 0, far])],
    [IN.secondary, literals([1 << 3, 0, 0], false)],
  ]);
  const { outcome } = await convertBytes("x.orc", bytes);
  expect(typesOf(outcome)).toEqual({ c: "timestamp(false,us)" });
  expect(loaded(outcome).counts).toMatchObject({ loaded: 3, warnings: 1 });
});

test("days before 1582-10-15 keep their names where the file says that they are Julian", async () => {
  const days = literals([-141_427, -141_428, -719_164]);
  const named = async (calendar: number) =>
    (await columnOf(oneColumn({ kind: KIND.date }, 3, [[IN.data, days]], { calendar }))).map((cell) =>
      new Date(Number((cell as Moment).since) * 86_400_000).toISOString().slice(0, 10),
    );
  expect(await named(1)).toEqual(["1582-10-15", "1582-10-04", "0001-01-01"]);
  expect(await named(2)).toEqual(["1582-10-15", "1582-10-14", "0000-12-30"]);
});

test("decimals of Hive 0.11 have the digits that their values have", async () => {
  const streams = [
    [IN.data, [...literalsOfDecimals([123n, -5n, 10n ** 30n])]],
    [IN.secondary, literals([2, 7, 0])],
  ] as const;
  const bytes = oneColumn({ kind: KIND.decimal }, 3, streams, { version: [0, 11] });
  const table = await openOrc(bytes);
  expect(table.columns[0]?.type).toEqual({ kind: "decimal", precision: 38, scale: 7 });
  expect(await columnOf(bytes)).toEqual([new Digits(12_300_000n, 7), new Digits(-5n, 7), new Digits(10n ** 37n, 7)]);
});

function literalsOfDecimals(values: readonly bigint[]): number[] {
  return values.flatMap((value) => literals([value]).slice(1));
}

test("a decimal of another scale is brought to its column's, one that loses digits is counted, one that has too many refuses the file", async () => {
  const decimals = (values: readonly bigint[], scales: readonly number[]) =>
    oneColumn({ kind: KIND.decimal, precision: 4, scale: 2 }, values.length, [
      [IN.data, literalsOfDecimals(values)],
      [IN.secondary, literals(scales)],
    ]);
  const { outcome } = await convertBytes("x.orc", decimals([5n, 12_340n, 12_345n], [0, 3, 3]));
  expect(loaded(outcome).counts).toMatchObject({ loaded: 3, warnings: 1 });
  expect(await columnOf(decimals([5n, 12_340n, 12_345n], [0, 3, 3]))).toEqual([500n, 1234n, 1234n].map((value) => new Digits(value, 2)));
  await expect(columnOf(decimals([10_000n], [2]))).rejects.toMatchObject({
    code: "unreadable",
    message: expect.stringMatching(/more than the 4 digits/),
  });
});

test("a union is a struct of its tag and its variants, null where it is null", async () => {
  const bytes = orcBytes({
    types: [
      { kind: KIND.struct, subtypes: [1], names: ["u"] },
      { kind: KIND.union, subtypes: [2, 3] },
      { kind: KIND.int },
      { kind: KIND.string },
    ],
    stripes: [
      {
        rows: 4,
        streams: [
          { column: 1, kind: IN.present, bytes: bits([true, false, true, true]) },
          { column: 1, kind: IN.data, bytes: literalBytes([1, 0, 1]) },
          { column: 2, kind: IN.data, bytes: literals([42]) },
          { column: 3, kind: IN.present, bytes: bits([true, false]) },
          { column: 3, kind: IN.length, bytes: literals([2], false) },
          { column: 3, kind: IN.data, bytes: [...Buffer.from("hi")] },
        ],
        encodings: [[0], [0], [0], [0]],
      },
    ],
  });
  const row = (tag: bigint, int: Cell, text: Cell) =>
    new Fields([
      ["type_id", tag],
      ["_union_0", int],
      ["_union_1", text],
    ]);
  expect(await columnOf(bytes)).toEqual([row(1n, null, "hi"), null, row(0n, 42n, null), row(1n, null, null)]);
});

test("rows of something else than a struct are one column", async () => {
  const bytes = orcBytes({
    types: [{ kind: KIND.int }],
    stripes: [{ rows: 3, streams: [{ column: 0, kind: IN.data, bytes: literals([1, -2, 3]) }], encodings: [[0]] }],
  });
  const { outcome } = await convertBytes("x.orc", bytes);
  expect(typesOf(outcome)).toEqual({ column_1: "int64" });
  expect(await columnOf(bytes)).toEqual([1n, -2n, 3n]);
});

test("text that is no UTF-8 refuses the file", async () => {
  expect(failedWith((await convertBytes("x.orc", fixture("bad-utf8.orc"))).outcome).fault).toMatchObject({
    code: "unreadable",
    message: expect.stringMatching(/a text is no UTF-8, in column "t"/),
  });
  // Whole, the bytes are UTF-8; the first value ends inside a character.
  const cut = oneColumn({ kind: KIND.string }, 2, [
    [IN.length, literals([1, 1], false)],
    [IN.data, [...Buffer.from("é")]],
  ]);
  await expect(columnOf(cut)).rejects.toMatchObject({ code: "unreadable" });
});

test("a dictionary of long values does not grow a batch beyond its bound", async () => {
  let most = 0;
  for await (const batch of (await openOrc(fixture("long-values.orc"))).batches()) {
    const bytes = batch.columns.map((cell) => ("data" in cell && cell.data.form === "bytes" ? cell.data.values.length : 0));
    most = Math.max(most, ...bytes);
  }
  expect(most).toBeGreaterThan(2 ** 20);
  expect(most).toBeLessThanOrEqual(32 * 2 ** 20);
});

test("a table of 2,000 columns is read whole", async () => {
  const cells = await readCells(await openOrc(fixture("wide.orc")));
  expect(cells).toEqual([Array.from({ length: 2_000 }, (_, i) => BigInt(i))]);
});

test("a file that is cut off is told to be, whatever its last bytes pass for", async () => {
  const bytes = readFileSync(join(import.meta.dirname, "../fixtures/orc/stripes.orc"));
  for (let share = 0.1; share < 1; share += 0.1) {
    const { fault } = failedWith((await convertBytes("a.orc", bytes.subarray(0, Math.floor(bytes.length * share)))).outcome);
    expect(fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/^no readable ORC: .*may be cut off/) as string });
  }
});
