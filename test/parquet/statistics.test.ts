import { deserializeTCompactProtocol } from "hyparquet/src/thrift.js";
import { afterAll, describe, expect, it } from "vitest";
import type { ColumnType } from "../../packages/core/src/domain/table-schema.ts";
import { fileOf, type Layout, type TestColumn, type Value } from "./chunk-kit.ts";
import { Duck } from "./readers-kit.ts";
import { NULLS, ORDERS, randomOf, TYPES, valuesOf } from "./values-kit.ts";

const duck = new Duck();
afterAll(() => duck[Symbol.asyncDispose]());

type Struct = Record<string, unknown>;

function structAt(file: Uint8Array, offset: number): Struct {
  return deserializeTCompactProtocol({ view: new DataView(file.buffer, file.byteOffset, file.byteLength), offset }) as Struct;
}

interface Chunk {
  readonly metadata: Struct;
  readonly columnIndex: Struct | null;
  readonly offsetIndex: Struct;
  readonly rows: number;
  readonly firstRow: number;
}

/** The chunks of each column, as the footer and the page indexes tell them. */
function chunksOf(file: Buffer): Chunk[][] {
  const footer = structAt(file, file.length - 8 - file.readUInt32LE(file.length - 8));
  const columns: Chunk[][] = [];
  let firstRow = 0;
  for (const group of footer["field_4"] as Struct[]) {
    const rows = Number(group["field_3"]);
    (group["field_1"] as Struct[]).forEach((chunk, i) => {
      (columns[i] ??= []).push({
        metadata: chunk["field_3"] as Struct,
        columnIndex: chunk["field_6"] === undefined ? null : structAt(file, Number(chunk["field_6"])),
        offsetIndex: structAt(file, Number(chunk["field_4"])),
        rows,
        firstRow,
      });
    });
    firstRow += rows;
  }
  return columns;
}

/** The value that statistics stand for: PLAIN bytes of the physical type. */
function decoded(bytes: Uint8Array, type: ColumnType, physical: unknown): bigint | number | Buffer {
  const buffer = Buffer.from(bytes);
  if (type.kind === "bool") return buffer.readUInt8();
  if (physical === 1) return type.kind === "decimal" ? BigInt(buffer.readInt32LE()) : buffer.readInt32LE();
  if (physical === 2) return buffer.readBigInt64LE();
  if (physical === 5) return buffer.readDoubleLE();
  if (physical === 7) return BigInt.asIntN(buffer.length * 8, BigInt(`0x${buffer.toString("hex")}`));
  return buffer;
}

function plainOf(value: Exclude<Value, null>, type: ColumnType): bigint | number | Buffer {
  if (typeof value === "boolean") return Number(value);
  return typeof value === "string" ? Buffer.from(value, type.kind === "binary" ? "hex" : "utf8") : value;
}

function order(a: bigint | number | Buffer, b: bigint | number | Buffer): number {
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) return Buffer.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The least and greatest of the values, as PLAIN; null where there are none. */
function rangeOf(values: readonly Value[], type: ColumnType) {
  const plain = values.flatMap((value) => (value === null ? [] : [plainOf(value, type)])).toSorted(order);
  const [min, max] = [plain[0], plain.at(-1)];
  return min === undefined || max === undefined ? null : { min, max };
}

const LAYOUTS: readonly Layout[] = [
  { rows: 1, groupRows: 10, pageBytes: 1 << 20, compression: "none" },
  { rows: 500, groupRows: 300, pageBytes: 200, compression: "zstd" },
  { rows: 700, groupRows: 700, pageBytes: 1 << 20, compression: "snappy" },
];

function everyColumn(layout: Layout, seed: number): TestColumn[] {
  const random = randomOf(seed);
  return TYPES.flatMap((type, t) =>
    NULLS.flatMap((nulls) =>
      ORDERS.map((order, o) => ({
        name: `${type.kind}${t}_${nulls}_${order}`,
        type,
        mode: (["coded", "plain", "mixed"] as const)[(t + o) % 3] ?? "plain",
        values: valuesOf(type, layout.rows, nulls, order, random),
      })),
    ),
  );
}

describe("statistics", () => {
  it.each(LAYOUTS)("hold for every chunk and page: $rows rows, pages of $pageBytes bytes", async (layout) => {
    const columns = everyColumn(layout, layout.rows);
    const chunks = chunksOf(await fileOf(columns, layout));
    const encodings = new Set<unknown>();
    columns.forEach((column, i) => {
      for (const chunk of chunks[i] ?? []) {
        const values = column.values.slice(chunk.firstRow, chunk.firstRow + chunk.rows);
        checkChunk(column, chunk, values);
        checkPages(column, chunk, values);
        for (const encoding of chunk.metadata["field_2"] as unknown[]) encodings.add(encoding);
      }
    });
    // Plain, levels, delta, dictionary: else the test would not see them all.
    if (layout.rows > 1) expect([...encodings].toSorted()).toEqual([0, 3, 5, 8]);
  });

  it("say nothing of the order of values where one is not a number", async () => {
    const values = [1, Number.NaN, -5, null, Number.POSITIVE_INFINITY];
    for (const mode of ["plain", "coded"] as const) {
      const columns: TestColumn[] = [{ name: "a", type: { kind: "double" }, mode, values }];
      const file = await fileOf(columns, { rows: 5, groupRows: 5, pageBytes: 1 << 20, compression: "none" });
      const chunk = chunksOf(file)[0]?.[0];
      expect(chunk?.metadata["field_12"]).toEqual({ field_3: 1n });
      expect(chunk?.columnIndex).toBeNull();
      // DuckDB orders it after every number.
      expect(await duck.rows(`select count(*)::int n from '${duck.keep(file)}' where a > 1e300`)).toEqual([{ n: 2 }]);
    }
  });

  it("let both zeros be found", async () => {
    const columns: TestColumn[] = [
      { name: "a", type: { kind: "double" }, mode: "plain", values: [0, 0, 1] },
      { name: "b", type: { kind: "double" }, mode: "plain", values: [-1, -0, -0] },
    ];
    const file = await fileOf(columns, { rows: 3, groupRows: 3, pageBytes: 1 << 20, compression: "none" });
    const [a, b] = chunksOf(file).map((of) => of[0]?.metadata["field_12"] as Struct);
    expect(Buffer.from(a?.["field_6"] as Uint8Array).readDoubleLE()).toBe(-0);
    expect(Buffer.from(b?.["field_5"] as Uint8Array).readDoubleLE()).toBe(0);
  });
});

function checkChunk({ name, type }: TestColumn, { metadata }: Chunk, values: readonly Value[]): void {
  const statistics = metadata["field_12"] as Struct;
  expect(Number(statistics["field_3"]), name).toBe(values.filter((value) => value === null).length);
  const range = rangeOf(values, type);
  if (range === null) {
    expect(statistics, name).not.toHaveProperty("field_5");
    return;
  }
  const max = decoded(statistics["field_5"] as Uint8Array, type, metadata["field_1"]);
  const min = decoded(statistics["field_6"] as Uint8Array, type, metadata["field_1"]);
  expect(order(max, range.max), name).toBe(statistics["field_7"] === true ? 0 : 1);
  expect(order(min, range.min), name).toBe(statistics["field_8"] === true ? 0 : -1);
  if (statistics["field_8"] !== true) expect((min as Buffer).length, name).toBeLessThanOrEqual(64);
}

function checkPages({ name, type }: TestColumn, { metadata, columnIndex, offsetIndex, rows }: Chunk, values: readonly Value[]): void {
  const starts = (offsetIndex["field_1"] as Struct[]).map((page) => Number(page["field_3"]));
  expect(starts[0], name).toBe(0);
  if (columnIndex === null) throw new Error(`${name} has no column index`);
  const [empty, least, greatest, , nulls] = [1, 2, 3, 4, 5].map((id) => columnIndex[`field_${id}`] as unknown[]);
  expect(empty?.length, name).toBe(starts.length);
  const bounds: { min: bigint | number | Buffer; max: bigint | number | Buffer }[] = [];
  starts.forEach((start, i) => {
    const inPage = values.slice(start, starts[i + 1] ?? rows);
    const range = rangeOf(inPage, type);
    expect(inPage.length, name).toBeGreaterThan(0);
    expect(Number(nulls?.[i]), name).toBe(inPage.filter((value) => value === null).length);
    expect(empty?.[i], name).toBe(range === null);
    if (range === null) return;
    const min = decoded(least?.[i] as Uint8Array, type, metadata["field_1"]);
    const max = decoded(greatest?.[i] as Uint8Array, type, metadata["field_1"]);
    expect(order(min, range.min), name).toBeLessThanOrEqual(0);
    expect(order(max, range.max), name).toBeGreaterThanOrEqual(0);
    bounds.push({ min, max });
  });
  const sorted = (sign: number) =>
    bounds.every((now, i) => i === 0 || (sign * order(bounds[i - 1]!.min, now.min) <= 0 && sign * order(bounds[i - 1]!.max, now.max) <= 0));
  expect(columnIndex["field_4"], name).toBe(sorted(1) ? 1 : sorted(-1) ? 2 : 0);
}

describe("a query that skips by statistics", () => {
  it("gives what one without them gives, for every type", async () => {
    const layout: Layout = { rows: 600, groupRows: 100, pageBytes: 128, compression: "zstd" };
    const columns = everyColumn(layout, 77).filter(
      ({ type, name }) => type.kind !== "unknown" && /_(none|runs)_(many|ascending)$/.test(name),
    );
    const path = duck.keep(await fileOf(columns, layout));
    await duck.rows(`create or replace table plain as select * from '${path}'`);
    for (const { name } of columns) {
      const probe = `(select "${name}" from plain where "${name}" is not null limit 1 offset 37)`;
      for (const test of [`= ${probe}`, `> ${probe}`, `<= ${probe}`, "is null", "is not null"]) {
        const of = (from: string) => duck.rows(`select count(*)::int n from ${from} where "${name}" ${test}`);
        expect(await of(`'${path}'`), `${name} ${test}`).toEqual(await of("plain"));
      }
    }
  }, 30_000);
});
