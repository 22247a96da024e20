import { afterAll, describe, expect, it } from "vitest";
import { fileOf, type Layout, type TestColumn } from "./chunk-kit.ts";
import { byHyparquet, byParquetWasm, Duck, duckRoughly, roughly } from "./readers-kit.ts";
import { NULLS, ORDERS, type Random, randomOf, TYPES, valuesOf } from "./values-kit.ts";

const MODES = ["coded", "plain", "mixed"] as const;
const duck = new Duck();
afterAll(() => duck[Symbol.asyncDispose]());

/** A column for each type, each place of nulls, each order and each way to hold values. */
function everyColumn(rows: number, random: Random): TestColumn[] {
  return TYPES.flatMap((type, t) =>
    NULLS.flatMap((nulls) =>
      ORDERS.flatMap((order) => {
        const values = valuesOf(type, rows, nulls, order, random);
        return MODES.map((mode) => ({ name: `${type.kind}${t}_${nulls}_${order}_${mode}`, type, mode, values }));
      }),
    ),
  );
}

const LAYOUTS: readonly Layout[] = [
  { rows: 0, groupRows: 10, pageBytes: 1 << 20, compression: "zstd" },
  { rows: 1, groupRows: 10, pageBytes: 1 << 20, compression: "zstd" },
  { rows: 1, groupRows: 10, pageBytes: 1, compression: "none" },
  { rows: 7, groupRows: 7, pageBytes: 1 << 20, compression: "snappy" },
  { rows: 8, groupRows: 3, pageBytes: 8, compression: "gzip" },
  { rows: 9, groupRows: 8, pageBytes: 40, compression: "zstd" },
  { rows: 300, groupRows: 1_000, pageBytes: 1 << 20, compression: "zstd" },
  { rows: 300, groupRows: 100, pageBytes: 256, compression: "none" },
  { rows: 517, groupRows: 512, pageBytes: 1_024, compression: "snappy" },
  { rows: 1_000, groupRows: 999, pageBytes: 2_000, compression: "gzip" },
  { rows: 1_300, groupRows: 1_300, pageBytes: 4_096, compression: "zstd" },
];

describe("what the encoder writes reads back the same", () => {
  it.each(LAYOUTS.map((layout, i) => ({ ...layout, seed: i + 1 })))(
    "$rows rows in groups of $groupRows, pages of $pageBytes bytes, $compression",
    async (layout) => {
      const columns = everyColumn(layout.rows, randomOf(layout.seed));
      const file = await fileOf(columns, layout);
      const wasm = byParquetWasm(file, columns);
      const hyparquet = await byHyparquet(file, columns);
      const duckdb = await duck.columns(duck.keep(file), columns);
      columns.forEach(({ name, type, values }, i) => {
        expect(wasm[i], `${name} by parquet-wasm`).toEqual(values);
        expect(hyparquet[i], `${name} by hyparquet`).toEqual(values.map((value) => roughly(value, type)));
        expect(duckdb[i], `${name} by DuckDB`).toEqual(values.map((value) => duckRoughly(value, type)));
      });
    },
    60_000,
  );
});
