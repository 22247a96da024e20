import { describe, expect, test } from "vitest";
import { cellFile, GRID_COMPRESSIONS, GRID_FORMATS, wrongInCell } from "./grid.ts";
import { convertBytes } from "./convert-kit.ts";

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
