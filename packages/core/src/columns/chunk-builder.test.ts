import { describe, expect, it } from "vitest";
import type { ColumnType } from "../domain/table-schema.ts";
import { allNull, type ColumnData, Validity } from "../schema/column-data.ts";
import { type ChunkBuilder, chunkBuilder } from "./chunk-builder.ts";
import type { ColumnChunk, DenseValues } from "./column-chunk.ts";

const INT: ColumnType = { kind: "int64" };
const TEXT: ColumnType = { kind: "text" };

function facts(rows: number, nulls: readonly number[]) {
  const validity = new Validity(rows);
  for (const row of nulls) validity.clear(row);
  return validity.facts(rows);
}

function ints(values: readonly (number | null)[]): ColumnData {
  const nulls = values.flatMap((value, row) => (value === null ? [row] : []));
  return { ...facts(values.length, nulls), form: "words", values: BigInt64Array.from(values, (value) => BigInt(value ?? -1)) };
}

function texts(values: readonly (string | null)[]): ColumnData {
  const nulls = values.flatMap((value, row) => (value === null ? [row] : []));
  const cells = values.map((value) => Buffer.from(value ?? "leftover"));
  const offsets = new Int32Array(values.length + 1);
  cells.forEach((cell, i) => (offsets[i + 1] = (offsets[i] ?? 0) + cell.length));
  return { ...facts(values.length, nulls), form: "bytes", offsets, values: new Uint8Array(Buffer.concat(cells)) };
}

function valuesOf(dense: DenseValues): (number | string)[] {
  if (dense.form === "words") return [...new BigInt64Array(dense.halves.buffer, 0, dense.count)].map(Number);
  if (dense.form !== "bytes") throw new Error(`not expected: ${dense.form}`);
  const found: string[] = [];
  const data = Buffer.from(dense.data);
  for (let at = 0, i = 0; i < dense.count; i++) {
    const length = data.readUInt32LE(at);
    found.push(data.toString("utf8", at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

/** What the rows of a chunk hold. */
function rowsOf(chunk: ColumnChunk): (number | string | null)[] {
  const dictionary = chunk.dictionary === null ? [] : valuesOf(chunk.dictionary);
  const ids = chunk.ids === null ? [] : [...chunk.ids.subarray(0, chunk.coded)];
  const values = [...ids.map((id) => dictionary[id] ?? "no such id"), ...valuesOf(chunk.plain)];
  expect(values).toHaveLength(chunk.rows - chunk.nulls);
  let next = 0;
  return Array.from({ length: chunk.rows }, (_, row) =>
    chunk.present !== null && chunk.present[row] === 0 ? null : (values[next++] ?? "short"),
  );
}

function fill(builder: ChunkBuilder, values: readonly (number | null)[], batch = 1_000): ColumnChunk {
  for (let from = 0; from < values.length; from += batch) builder.append(ints(values.slice(from, from + batch)));
  return builder.chunk();
}

describe("a chunk of batches", () => {
  it("holds their rows in order, with nulls in any batch", () => {
    const builder = chunkBuilder(INT);
    builder.append(ints([1, 2, 1]));
    expect(builder.chunk().present).toBeNull();
    builder.append(ints([null, 2, null, 3]));
    builder.append(allNull(2));
    builder.append(ints([1]));
    expect(rowsOf(builder.chunk())).toEqual([1, 2, 1, null, 2, null, 3, null, null, 1]);
    expect(builder.chunk()).toMatchObject({ rows: 10, nulls: 4, coded: 6 });
  });

  it("of texts holds each once, the empty one and long ones too", () => {
    const long = "x".repeat(500);
    const builder = chunkBuilder(TEXT);
    builder.append(texts(["", "é", null, long, "", `${long}y`]));
    builder.append(texts(["é", long, "z"]));
    expect(rowsOf(builder.chunk())).toEqual(["", "é", null, long, "", `${long}y`, "é", long, "z"]);
    expect(builder.chunk().dictionary?.count).toBe(5);
  });

  it("keeps a dictionary of nearly 40,000 values that come again, and gives it up where none does", () => {
    let state = 1;
    const draw = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 8;
    const again = fill(
      chunkBuilder(INT),
      Array.from({ length: 100_000 }, () => draw() % 40_000),
    );
    expect(again.dictionary?.count).toBeGreaterThan(35_000);
    expect(again.plain.count).toBe(0);
    const never = fill(
      chunkBuilder(INT),
      Array.from({ length: 10_000 }, (_, i) => i),
    );
    expect(never).toMatchObject({ coded: 2_048, plain: { count: 7_952 } });
    expect(rowsOf(never)).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  });

  it("never has an id beyond 16 bits", () => {
    // Each value twice at first, so that no review gives up before the end.
    const values = Array.from({ length: 200_000 }, (_, i) => i >> 1);
    const chunk = fill(chunkBuilder(INT), values);
    expect(chunk.dictionary?.count).toBe(65_536);
    expect(rowsOf(chunk)).toEqual(values);
  });

  it("is empty again after it was cleared, and tries a dictionary again some row groups after it gave one up", () => {
    const builder = chunkBuilder(INT);
    fill(
      builder,
      Array.from({ length: 5_000 }, (_, i) => i),
    );
    const coded: number[] = [];
    for (let group = 0; group < 9; group++) {
      builder.clear();
      const chunk = fill(builder, [4, 4, null, 4]);
      expect(rowsOf(chunk)).toEqual([4, 4, null, 4]);
      coded.push(chunk.coded);
    }
    expect(coded).toEqual([0, 0, 0, 0, 0, 0, 0, 3, 3]);
  });

  it("of doubles tells the two zeros apart, and keeps what is no number", () => {
    const builder = chunkBuilder({ kind: "double" });
    builder.append({ ...facts(4, []), form: "doubles", values: Float64Array.of(0, -0, Number.NaN, 0) });
    const { dictionary, ids } = builder.chunk();
    if (dictionary?.form !== "doubles") throw new Error("no doubles");
    expect([...dictionary.values.subarray(0, dictionary.count)]).toEqual([0, -0, Number.NaN]);
    expect([...(ids?.subarray(0, 4) ?? [])]).toEqual([0, 1, 2, 0]);
  });

  it("refuses values of another form: that is a bug, not data", () => {
    expect(() => chunkBuilder(INT).append(texts(["a"]))).toThrow("form bytes");
    expect(() => chunkBuilder(TEXT).append(ints([1]))).toThrow("form words");
    expect(() => chunkBuilder({ kind: "bool" }).append(ints([1]))).toThrow("form words");
  });
});
