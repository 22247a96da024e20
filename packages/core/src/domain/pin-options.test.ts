import { expect, test } from "vitest";
import { pinned } from "./pin-options.ts";

test("what was found out is said when a file is read again, and what was said stays", () => {
  const told = { format: "csv", delimiter: ", ", quote: "", header: true, preambleRows: 2, encoding: "utf-16le", decimal: "," } as const;
  const found = { encoding: "utf-16le", delimiter: ",", skip_initial_space: true, quote: false, decimal: ",", header: true, header_row: 2 };
  expect(pinned({}, told)).toEqual(found);
  expect(pinned({ quote: "'", delimiter: ", ", lineage: true }, told)).toEqual({
    encoding: "utf-16le",
    delimiter: ", ",
    quote: "'",
    decimal: ",",
    header: true,
    header_row: 2,
    lineage: true,
  });
});

test("a record without much of a dialect pins what it has", () => {
  const old = { format: "tsv", delimiter: "\t", quote: '"', header: false, encoding: "utf-8" } as const;
  expect(pinned({}, old)).toEqual({ delimiter: "\t", quote: '"', header: false, encoding: "utf-8", skip_rows: 0 });
  expect(pinned({ tables: "union" }, { format: "xlsx", header: true })).toEqual({ tables: "union" });
  expect(pinned({}, { ...old, compression: "zip" })).toEqual({});
  expect(pinned({}, null)).toEqual({});
});
