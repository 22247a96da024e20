import { describe, expect, test } from "vitest";
import { cellFile, GRID_COMPRESSIONS, GRID_FORMATS, wrongInCell } from "./grid.ts";
import { convertBytes, loaded, rowsOf } from "./convert-kit.ts";

test("the grid has all its formats and compressions", () => {
  expect(GRID_FORMATS.toSorted()).toEqual(
    [
      "arrow-file",
      "arrow-stream",
      "csv",
      "feather",
      "json-columns",
      "json-rows",
      "ndjson",
      "orc",
      "parquet",
      "tsv",
      "xls",
      "xlsx",
    ].toSorted(),
  );
  expect(GRID_COMPRESSIONS).toEqual(["none", "gzip", "bz2", "zip", "xz", "zstd"]);
});

describe.each(GRID_FORMATS)("%s", (format) => {
  test.each(GRID_COMPRESSIONS)("is read beneath %s, with its types, nulls and every row", async (compression) => {
    expect(await wrongInCell(format, compression)).toBeNull();
  });

  test("loads its first rows with max_rows, and counts the others as skipped", async () => {
    const { name, bytes } = cellFile(format, "none");
    const all = await convertBytes(name, bytes);
    const { read } = loaded(all.outcome).counts;
    for (const most of [2, 0, read + 1]) {
      const some = await convertBytes(name, bytes, { options: { max_rows: most } });
      const count = Math.min(most, read);
      expect(loaded(some.outcome).counts).toMatchObject({ read, loaded: count, skipped: read - count });
      expect(await rowsOf(some)).toEqual((await rowsOf(all)).slice(0, count));
    }
  });

  test("is read beneath a compression that its name does not tell", async () => {
    const plain = cellFile(format, "none").name;
    for (const compression of ["gzip", "bz2", "xz", "zstd"] as const) expect(await wrongInCell(format, compression, plain)).toBeNull();
  });
});

test.each(GRID_FORMATS)("%s that is cut off beneath each compression fails, with its rows in no table", async (format) => {
  for (const compression of GRID_COMPRESSIONS) {
    if (compression === "none") continue;
    const { name, bytes } = cellFile(format, compression);
    const { outcome, parts } = await convertBytes(name, bytes.subarray(0, bytes.length - 9));
    expect(`${compression} ${outcome.kind}`).toBe(`${compression} failed`);
    expect(parts).toEqual([]);
  }
});
