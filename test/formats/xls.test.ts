import * as sheetjs from "@e965/xlsx";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertBytes, failedWith, loaded, rowsOf, typesOf } from "./convert-kit.ts";
import { workbookOf } from "./workbook-kit.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures", name));
const first = { options: { tables: "first" } } as const;

const ROWS = [
  { id: 1n, name: "ann", amount: 1.25, day: new Date("2024-02-29"), ok: true },
  { id: 2n, name: "bjørn", amount: -3, day: new Date("1999-12-31"), ok: false },
  { id: 3n, name: "007", amount: 1e10, day: new Date("2026-11-21"), ok: null },
  { id: 4n, name: null, amount: 0.1, day: null, ok: null },
];

test.each(["xls/biff8.xls", "xls/biff8-1904.xls", "xls/biff5.xls", "xlsx/sheetjs-shared.xlsx", "xlsx/sheetjs-str.xlsx"])(
  "%s holds the same rows and types as its twins in other formats",
  async (name) => {
    const result = await convertBytes(name.slice(name.indexOf("/") + 1), fixture(name), first);
    expect(typesOf(result.outcome)).toEqual({ id: "int64", name: "text", amount: "double", day: "date", ok: "bool" });
    expect(await rowsOf(result)).toEqual(ROWS);
  },
);

test.each(["biff4.xls", "biff3.xls", "biff2.xls"])("%s, without a container, is read as far as it has types", async (name) => {
  const rows = await rowsOf(await convertBytes(name, fixture(`xls/${name}`)));
  expect(rows.map(({ id, amount }) => [Number(id), Number(amount)])).toEqual(ROWS.map(({ id, amount }) => [Number(id), amount]));
});

test("texts of elder workbooks are in their code page", async () => {
  const rows = await rowsOf(await convertBytes("a.xls", fixture("xls/biff5-cp1251.xls"), first));
  expect(rows[1]).toMatchObject({ name: "bjшrn" });
});

test("an xls has a table for each sheet that is not hidden", async () => {
  const { outcome } = await convertBytes("a.xls", fixture("xls/biff8.xls"));
  expect(loaded(outcome).tables.map(({ table }) => table)).toEqual(["Data", "More"]);
});

test("what is named xls is read as what its bytes are", async () => {
  expect(await rowsOf(await convertBytes("a.xls", fixture("xlsx/sheetjs-shared.xlsx"), first))).toEqual(ROWS);
  expect(await rowsOf(await convertBytes("a.xlsx", fixture("xls/biff8.xls"), first))).toEqual(ROWS);
});

test.each([
  ["<html><table><tr><td>1</td></tr></table></html>", "format_mismatch", /HTML or XML/],
  ["a\tb\n1\t2\n", "format_mismatch", /text: name it csv or tsv/],
  [Buffer.from("d0cf11e0a1b11ae1", "hex"), "unreadable", /OLE2 document is damaged: it has 8 bytes/],
  [fixture("xls/biff8.xls").subarray(0, 2_000), "unreadable", /OLE2 document is damaged/],
  [fixture("xls/biff2.xls").subarray(0, 200), "unreadable", /cut off/],
])("an xls that is none fails and says what is wrong (%#)", async (content, code, message) => {
  const { outcome } = await convertBytes("a.xls", content);
  expect(failedWith(outcome).fault).toMatchObject({ code, message: expect.stringMatching(message) });
});

/** An OLE2 document of these streams. */
function ole2(streams: Record<string, Uint8Array>): Buffer {
  const file = sheetjs.CFB.utils.cfb_new();
  for (const [name, bytes] of Object.entries(streams)) sheetjs.CFB.utils.cfb_add(file, `/${name}`, Buffer.from(bytes));
  return sheetjs.CFB.write(file, { type: "buffer" }) as Buffer;
}

test("a workbook with a password says so, by either name", async () => {
  const package_ = ole2({ EncryptionInfo: Buffer.alloc(100, 4), EncryptedPackage: Buffer.alloc(9_000, 7) });
  for (const name of ["a.xlsx", "a.xls"]) {
    const { outcome } = await convertBytes(name, package_);
    expect(failedWith(outcome).fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/encrypted with a password/) });
  }
  const biff = sheetjs.CFB.read(fixture("xls/biff8.xls"), { type: "buffer" });
  const stream = Buffer.from(sheetjs.CFB.find(biff, "Workbook")?.content as Uint8Array);
  const begin = 4 + stream.readUInt16LE(2);
  const filepass = Buffer.from("2f0006000000000000000000", "hex").subarray(0, 10);
  const locked = ole2({ Workbook: Buffer.concat([stream.subarray(0, begin), filepass, stream.subarray(begin)]) });
  expect(failedWith((await convertBytes("a.xls", locked)).outcome).fault.message).toMatch(/encrypted with a password/);
});

test("a document of another program is no workbook", async () => {
  const { outcome } = await convertBytes("a.xls", ole2({ WordDocument: Buffer.alloc(5_000, 1) }));
  expect(failedWith(outcome).fault).toMatchObject({
    code: "format_mismatch",
    message: expect.stringMatching(/no Excel workbook: it holds .*WordDocument/),
  });
});

test("sectors in a circle end as a fault", async () => {
  const bytes = Buffer.from(fixture("xls/biff8.xls"));
  const fat = (bytes.readUInt32LE(76) + 1) * 512;
  const directory = bytes.readUInt32LE(48);
  bytes.writeUInt32LE(directory, fat + directory * 4);
  const { outcome } = await convertBytes("a.xls", bytes);
  expect(failedWith(outcome).fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/circle/) });
});

test("more than an xls may hold is refused before the work", async () => {
  const bytes = fixture("xls/biff8.xls");
  const faultOf = async (heldBytes: number) => failedWith((await convertBytes("a.xls", bytes, { limits: { heldBytes } })).outcome).fault;
  expect(await faultOf(18_000)).toMatchObject({ code: "limit_exceeded", field: "heldBytes", value: bytes.length, limit: 4_500 });
});

test("a zip without a workbook in it says so", async () => {
  const { outcome } = await convertBytes("a.xlsx", workbookOf({ sheets: [], parts: { "xl/workbook.xml": "<w/>" } }));
  expect(failedWith(outcome).fault).toMatchObject({ code: "format_mismatch", message: expect.stringMatching(/no Excel workbook/) });
});
