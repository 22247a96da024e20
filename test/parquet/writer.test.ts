import { afterAll, describe, expect, it } from "vitest";
import type { ColumnChunk } from "../../packages/core/src/columns/column-chunk.ts";
import { TableWriter } from "../../packages/core/src/flow/write.ts";
import { openFlatWriter } from "../../packages/core/src/parquet/flat-writer.ts";
import type { ConvertIo, PartSink } from "../../packages/core/src/ports/converter.ts";
import { chunkOf, fileOf, schemaOf, type TestColumn } from "./chunk-kit.ts";
import { byHyparquet, byParquetWasm, Duck, roughly } from "./readers-kit.ts";

const duck = new Duck();
afterAll(() => duck[Symbol.asyncDispose]());

const column = (values: TestColumn["values"], mode: TestColumn["mode"] = "plain"): TestColumn => ({
  name: "n",
  type: { kind: "int64" },
  mode,
  values,
});
const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, i) => BigInt(from + i));

describe("a writer", () => {
  const noise = (): ColumnChunk => {
    const halves = new Int32Array(2 * 200_000);
    let state = 1;
    for (let i = 0; i < halves.length; i++) halves[i] = state = Math.imul(state, 1_103_515_245) + 12_345;
    const plain = { form: "words", count: 200_000, halves } as const;
    return { type: { kind: "int64" }, rows: 200_000, nulls: 0, present: null, coded: 0, ids: null, dictionary: null, plain };
  };
  const open = (sink: (bytes: Uint8Array) => Promise<void>) =>
    openFlatWriter({ schema: schemaOf([column([])]), metadata: new Map(), compression: "zstd", sink });

  it("throws what its sink threw at the next write and at its end", async () => {
    const full = new Error("no room");
    const writer = open(() => Promise.reject(full));
    const chunk = noise();
    const writing = (async () => {
      for (let i = 0; i < 100; i++) await writer.write([chunk], chunk.rows);
    })();
    await expect(writing).rejects.toBe(full);
    await expect(writer.close(new Map())).rejects.toBe(full);
  });

  it("waits for a slow sink, holding a bounded number of pages", async () => {
    let taken = 0;
    let open_: (() => void) | null = null;
    const gate = new Promise<void>((resolve) => (open_ = resolve));
    const writer = open(async (bytes) => {
      taken += bytes.length;
      await gate;
    });
    const chunk = noise();
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < 60; i++) {
        await writer.write([chunk], chunk.rows);
        written++;
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written).toBeLessThan(20);
    expect(writer.bytesHeld).toBeLessThan(24 * 2 ** 20);
    (open_ as (() => void) | null)?.();
    await writing;
    await writer.close(new Map());
    expect(written).toBe(60);
    expect(taken).toBe(writer.bytesOut);
  });

  it("writes nothing more once it is aborted", async () => {
    let after = 0;
    let aborted = false;
    const writer = open(async () => {
      if (aborted) after++;
    });
    const chunk = noise();
    for (let i = 0; i < 5; i++) await writer.write([chunk], chunk.rows);
    await writer.abort();
    aborted = true;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(after).toBe(0);
    await expect(writer.write([chunk], chunk.rows)).rejects.toThrow("abandoned");
  });

  it("refuses chunks that do not fit its schema: that is a bug, not data", async () => {
    const writer = open(async () => {});
    await expect(writer.write([], 1)).rejects.toThrow("0 chunks for 1 columns");
    await expect(writer.write([chunkOf(column([1n]), 0, 1)], 2)).rejects.toThrow("1 rows of 2");
    await expect(writer.write([{ ...chunkOf(column([1n, 2n]), 0, 2), nulls: 1 }], 2)).rejects.toThrow("nothing that says where");
  });
});

describe("row groups", () => {
  it("of more ids than 16 bits hold read back the same", async () => {
    const values = Array.from({ length: 70_000 }, (_, i) => BigInt(i) * 1_000_003n);
    const there = Uint32Array.from({ length: 200_000 }, (_, i) => (i * 31) % 70_000);
    const chunk: ColumnChunk = {
      type: { kind: "int64" },
      rows: 200_000,
      nulls: 0,
      present: null,
      coded: 200_000,
      ids: there,
      dictionary: { form: "words", count: 70_000, halves: new Int32Array(BigInt64Array.from(values).buffer) },
      plain: { form: "words", count: 0, halves: new Int32Array(0) },
    };
    const out: Uint8Array[] = [];
    const columns = [column([])];
    const sink = async (bytes: Uint8Array) => void out.push(bytes);
    const writer = openFlatWriter({ schema: schemaOf(columns), metadata: new Map(), compression: "zstd", sink });
    await writer.write([chunk], chunk.rows);
    await writer.close(new Map());
    const file = Buffer.concat(out);
    const expected = Array.from(there, (id) => values[id] ?? null);
    expect(byParquetWasm(file, columns)).toEqual([expected]);
    expect(await byHyparquet(file, columns)).toEqual([expected]);
    expect(await duck.columns(duck.keep(file), columns)).toEqual([expected]);
    const [facts] = await duck.rows(`select encodings from parquet_metadata('${duck.keep(file)}')`);
    expect(facts?.["encodings"]).toContain("RLE_DICTIONARY");
  });

  it("of one value only, nulls beside it or none, read back the same", async () => {
    const types = [
      { type: { kind: "int64" }, value: 7n },
      { type: { kind: "text" }, value: "always the same" },
      { type: { kind: "double" }, value: 0.5 },
      { type: { kind: "decimal", precision: 30, scale: 2 }, value: -12n },
    ] as const;
    const columns = types.flatMap(({ type, value }, i) =>
      [0, 3, 1].map((step) => ({
        name: `${type.kind}${i}_${step}`,
        type,
        mode: "coded" as const,
        values: Array.from({ length: 900 }, (_, row) => (step > 0 && row % step === 0 && row > 0 ? null : value)),
      })),
    );
    for (const pageBytes of [64, 1 << 20]) {
      const file = await fileOf(columns, { rows: 900, groupRows: 500, pageBytes, compression: "zstd" });
      const expected = columns.map(({ values }) => values);
      expect(byParquetWasm(file, columns)).toEqual(expected);
      expect(await byHyparquet(file, columns)).toEqual(columns.map(({ values, type }) => values.map((value) => roughly(value, type))));
      expect(await duck.columns(duck.keep(file), columns)).toEqual(expected);
    }
  });

  it("whose differences are at the limit of what a double holds read back the same", async () => {
    const half = 2n ** 50n;
    for (const base of [0n, 2n ** 62n, -(2n ** 63n)]) {
      const low = base === -(2n ** 63n) ? base : base - half;
      // Close neighbours throughout, so that differences are chosen, and two jumps over nearly the whole range.
      const values = Array.from({ length: 3_000 }, (_, i) => low + (i === 1_500 ? 2n * half - 2n : BigInt(i % 3)));
      const file = await fileOf([column(values)], { rows: 3_000, groupRows: 3_000, pageBytes: 1 << 20, compression: "none" });
      expect((await duck.rows(`select encodings from parquet_metadata('${duck.keep(file)}')`))[0]?.["encodings"]).toContain("DELTA");
      expect(byParquetWasm(file, [column([])])).toEqual([values]);
      expect(await byHyparquet(file, [column([])])).toEqual([values]);
      expect(await duck.columns(duck.keep(file), [column([])])).toEqual([values]);
    }
  });
});

describe("parts of a table", () => {
  function memory() {
    const stored: (Buffer | null)[] = [];
    const openPart = async (): Promise<PartSink> => {
      const at = stored.push(null) - 1;
      const chunks: Uint8Array[] = [];
      return {
        write: async (bytes) => void chunks.push(bytes),
        close: async () => {
          const whole = Buffer.concat(chunks);
          stored[at] = whole;
          return { bytes: whole.length, sha256: "" };
        },
        abort: async () => {
          stored[at] = null;
        },
      };
    };
    return { stored, io: { openPart } as unknown as ConvertIo };
  }
  const writerOf = (io: ConvertIo, partBytes: number) =>
    new TableWriter({ table: "main", file: "f", schema: schemaOf([column([])]), partBytes }, io);

  it("take whole row groups, and account for the rows that were rejected among them", async () => {
    const { stored, io } = memory();
    const writer = writerOf(io, 1_000_000);
    await writer.writeChunks([chunkOf(column(upTo(500)), 0, 500)], 500, 3);
    await writer.writeChunks([chunkOf(column(upTo(500, 500), "coded"), 0, 500)], 500, 0);
    await writer.writeChunks([chunkOf(column([]), 0, 0)], 0, 4);
    await writer.finish();
    expect(writer.parts.map(({ rows }) => rows)).toEqual([1_000]);
    const path = duck.keep(stored[0] ?? Buffer.alloc(0));
    expect(await duck.columns(path, [column([])])).toEqual([upTo(1_000)]);
    const pairs = await duck.rows(`select key::varchar k, value::varchar v from parquet_kv_metadata('${path}')`);
    expect(Object.fromEntries(pairs.map(({ k, v }) => [k, v]))).toMatchObject({
      "sluice.rows_read": "1007",
      "sluice.rows_loaded": "1000",
      "sluice.rows_rejected": "7",
      "sluice.rows_skipped": "0",
    });
  });

  it("are closed once they have their size, each with row groups of its own", async () => {
    const { stored, io } = memory();
    const writer = writerOf(io, 2_000);
    // Far apart and in no order, so that nothing makes them small.
    const values = Array.from({ length: 6_000 }, (_, i) => BigInt.asIntN(64, BigInt(i) * 0x9e37_79b9_7f4a_7c15n));
    for (let from = 0; from < 6_000; from += 1_000) await writer.writeChunks([chunkOf(column(values), from, from + 1_000)], 1_000, 0);
    await writer.finish();
    expect(writer.parts.map(({ rows }) => rows)).toEqual([1_000, 1_000, 1_000, 1_000, 1_000, 1_000]);
    expect(stored.map((part) => part?.length)).toEqual(writer.parts.map(({ bytes }) => bytes));
  });

  it("can all be taken back, the closed ones too", async () => {
    const { stored, io } = memory();
    const writer = writerOf(io, 100);
    await writer.writeChunks([chunkOf(column(upTo(100)), 0, 100)], 100, 0);
    await writer.writeChunks([chunkOf(column(upTo(10)), 0, 10)], 10, 0);
    expect(writer.parts).toHaveLength(1);
    await writer.drop();
    expect(writer.parts).toEqual([]);
    expect(stored.every((part) => part === null)).toBe(true);
  });
});
