import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { expect, test } from "vitest";
import { convertBytes, failedWith } from "./convert-kit.ts";
import { parquetOf } from "./parquet-kit.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/columnar-bombs");
const bombs = readdirSync(FOLDER).filter((name) => /\.(arrows|parquet)$/.test(name));

test.each(bombs)("%s, small and said to become large, is refused by its footer or head, the limit named", async (name) => {
  const bytes = readFileSync(join(FOLDER, name));
  const { outcome, parts } = await convertBytes(name, bytes);
  expect(failedWith(outcome)).toMatchObject({ fault: { code: "limit_exceeded", field: "ratio", limit: 1_000 }, counts: { read: 0 } });
  expect(parts).toEqual([]);
});

test("a Parquet page of more than its file may become is refused before it is decoded, whatever the footer says", async () => {
  const lie = readFileSync(join(FOLDER, "text.parquet"));
  // Its totals of 200,000,034 bytes as varints in the footer, made 0 of the same length; the page's own 200,000,004 stay.
  const total = Buffer.from([0xc4, 0x88, 0xde, 0xbe, 0x01]);
  for (let at = lie.indexOf(total, -300); at >= 0; at = lie.indexOf(total, at)) lie.set([0x80, 0x80, 0x80, 0x80, 0x00], at);
  const { fault } = failedWith((await convertBytes("a.parquet", lie)).outcome);
  expect(fault).toMatchObject({ code: "limit_exceeded", field: "ratio", message: expect.stringMatching(/become 2000000\d\d/) });
});

test("limits read from a Parquet footer are those of the conversion", async () => {
  const source = await parquetOf("select i, i + 1 j, 'text ' || i s from range(10000) r(i)");
  for (const [limits, field] of [
    [{ columns: 2 }, "columns"],
    [{ decodedBytes: 1_000 }, "decodedBytes"],
    [{ footerBytes: 100 }, "footerBytes"],
    [{ heldBytes: 1_000 }, "heldBytes"],
  ] as const) {
    const { fault } = failedWith((await convertBytes("a.parquet", source, { limits })).outcome);
    expect(fault).toMatchObject({ code: "limit_exceeded", field, limit: Object.values(limits)[0] });
    expect(fault.message).toContain(`limit ${field}`);
  }
});

test("limits of an Arrow file are those of the conversion", async () => {
  const source = readFileSync(join(FOLDER, "../arrow/many-rows.arrows"));
  for (const [limits, field] of [
    [{ columns: 1 }, "columns"],
    [{ decodedBytes: 10_000 }, "decodedBytes"],
    [{ footerBytes: 50 }, "footerBytes"],
    [{ heldBytes: 100_000 }, "heldBytes"],
  ] as const) {
    const { fault } = failedWith((await convertBytes("a.arrows", source, { limits })).outcome);
    expect(fault).toMatchObject({ code: "limit_exceeded", field, limit: Object.values(limits)[0] });
  }
});

test("a row of more bytes than a record may have is refused", async () => {
  const table = tableFromArrays({ n: [1, 2], s: ["short", "x".repeat(20_000_000)] });
  const { fault } = failedWith((await convertBytes("a.arrows", tableToIPC(table, "stream"))).outcome);
  expect(fault).toMatchObject({ code: "limit_exceeded", field: "recordBytes", message: expect.stringMatching(/row 2 /) });
});
