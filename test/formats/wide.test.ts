import { expect, test } from "vitest";
import { convertBytes, duck, loaded, metadataOf } from "./convert-kit.ts";

// Five rows of this width took more than six minutes once.
const COLUMNS = 16_384;
const TIMEOUT_MS = 100_000;

const header = Array.from({ length: COLUMNS }, (_, i) => `c${i}`).join(",");
const row = (n: number) => Array.from({ length: COLUMNS }, (_, i) => i + n).join(",");
const csv = `${[header, row(0), row(1), row(2), row(3), row(4)].join("\n")}\n`;

test(
  "a small csv of as many columns as are allowed does not hold its process",
  async () => {
    const result = await convertBytes("a.csv", csv);
    expect(loaded(result.outcome).counts).toMatchObject({ read: 5, loaded: 5 });
    expect(metadataOf(result.parts[0]).row_groups[0]?.columns).toHaveLength(COLUMNS);
    const sql = `select c0, c${COLUMNS - 1} z from parts`;
    expect(await duck(result.parts, sql)).toEqual([0, 1, 2, 3, 4].map((n) => ({ c0: String(n), z: String(COLUMNS - 1 + n) })));
    // Once more under the schema it left, and read back as Parquet.
    const schemas = { main: loaded(result.outcome).tables[0]!.schema };
    expect(loaded((await convertBytes("b.csv", csv, { schemas })).outcome).tables[0]?.change).toBe("none");
    const again = await convertBytes("c.parquet", result.parts[0] ?? "", { schemas });
    expect(await duck(again.parts, sql)).toEqual(await duck(result.parts, sql));
  },
  TIMEOUT_MS,
);

test(
  "the dialect of a table whose lines are longer than what is looked at of others is found out all the same",
  async () => {
    const line = (cell: (i: number) => string) => Array.from({ length: 9_000 }, (_, i) => cell(i)).join(";");
    const text = `Report\n${[line((i) => `column ${i}`), line((i) => `${i},25`), line((i) => `-${i},5`)].join("\n")}\n`;
    const { outcome } = await convertBytes("a.csv", text);
    expect(loaded(outcome).detected).toMatchObject({ delimiter: ";", decimal: ",", preambleRows: 1, header: true });
    expect(loaded(outcome).counts).toMatchObject({ read: 2, loaded: 2 });
    expect(loaded(outcome).tables[0]?.schema.columns.length).toBe(9_000);
  },
  TIMEOUT_MS,
);

test("a table of few columns is still written with ZSTD and dictionaries", async () => {
  const result = await convertBytes("a.csv", `a,b\n${"1,x\n2,yy\n".repeat(2_000)}`);
  const columns = metadataOf(result.parts[0]).row_groups[0]?.columns.map((column) => column.meta_data);
  expect(columns?.map((column) => column?.codec)).toEqual(["ZSTD", "ZSTD"]);
  expect(columns?.every((column) => column?.encodings.includes("RLE_DICTIONARY"))).toBe(true);
});
