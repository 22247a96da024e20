import { crc32, deflateRawSync, constants } from "node:zlib";
import { expect, test } from "vitest";
import { convertBytes, failedWith } from "./convert-kit.ts";
import { excel } from "../../packages/core/src/formats/excel.ts";
import type { ConvertLimits } from "../../packages/core/src/ports/converter.ts";
import { type HandWorkbook, partsOf, workbookInput, workbookOf } from "./workbook-kit.ts";
import { zipOf } from "./zip-kit.ts";

const GB = 2 ** 30;

/** Deflate of `text` so many times over, without making it: whole flushed blocks can stand one behind the other. */
function deflatedTimes(text: string, times: number, head = ""): { data: Buffer; size: number } {
  const flushed = (part: string) => deflateRawSync(part, { finishFlush: constants.Z_FULL_FLUSH });
  const data = Buffer.concat([flushed(head), ...Array<Buffer>(times).fill(flushed(text)), deflateRawSync("")]);
  return { data, size: head.length + text.length * times };
}

async function refused(bytes: Uint8Array, limits: Partial<ConvertLimits> = {}) {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  const started = performance.now();
  const { outcome } = await convertBytes("bomb.xlsx", bytes, { limits });
  clearInterval(watch);
  return { fault: failedWith(outcome).fault, ms: performance.now() - started, grown: Math.max(most, process.memoryUsage().rss) - before };
}

const CELL = '<row><c t="inlineStr"><is><t>x</t></is></c></row>';
const book = (rows: string, more: Partial<HandWorkbook> = {}): HandWorkbook => ({ sheets: [{ name: "A", rows }], ...more });

test("a workbook of 1 MB that unfolds to 1 GB is refused at once, by what its directory says, naming the limit", async () => {
  const { data, size } = deflatedTimes(CELL.repeat(Math.floor((16 * 2 ** 20) / CELL.length)), 64);
  expect(size).toBeGreaterThan(0.99 * GB);
  for (const name of ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"]) {
    const bytes = zipOf(partsOf(book(CELL, { strings: "<si/>" })), { packed: { [name]: { data, size, crc: 0 } } });
    expect(bytes.length).toBeLessThan(6e6);
    const { fault, ms, grown } = await refused(bytes);
    expect(fault).toMatchObject({ code: "limit_exceeded", field: "ratio", message: expect.stringMatching(/limit ratio/) });
    expect(ms).toBeLessThan(2_000);
    expect(grown).toBeLessThan(100e6);
  }
});

test("a part that holds more than the directory says is refused as soon as it does", async () => {
  const { data } = deflatedTimes(CELL.repeat(200_000), 100, "<worksheet><sheetData>");
  const name = "xl/worksheets/sheet1.xml";
  const { fault, ms, grown } = await refused(zipOf(partsOf(book("")), { packed: { [name]: { data, size: 1_000_000, crc: 0 } } }));
  expect(fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/more than the 1000000 bytes/) });
  expect(ms).toBeLessThan(2_000);
  expect(grown).toBeLessThan(100e6);
});

test("one long text in very many cells is refused, naming the limit", async () => {
  const strings = `<si><t>h</t></si><si><t>${"long ".repeat(6_000)}</t></si>`;
  const rows = '<row><c t="s"><v>0</v></c></row>' + '<row><c t="s"><v>1</v></c></row>'.repeat(100_000);
  const { fault, grown } = await refused(workbookOf(book(rows, { strings })));
  expect(fault).toMatchObject({ code: "limit_exceeded", field: "ratio", message: expect.stringMatching(/limit ratio/) });
  expect(grown).toBeLessThan(200e6);
});

test("a header of very many columns over very many short rows is refused, naming the limit", async () => {
  const header = Array.from({ length: 16_000 }, (_, i) => `<c t="inlineStr"><is><t>c${i}</t></is></c>`).join("");
  const bytes = workbookOf(book(`<row>${header}</row>${"<row><c><v>1</v></c></row>".repeat(5_000)}`));
  const { tables } = await excel.open(workbookInput(bytes));
  const read = async () => {
    for await (const batch of tables[0]?.batches() ?? []) expect(batch.rows * 16_000).toBeLessThan(2 ** 20);
  };
  await expect(read()).rejects.toMatchObject({ code: "limit_exceeded", detail: { field: "ratio" } });
});

test("shared strings beyond what stays in memory are refused, naming the limit", async () => {
  const strings = Array.from({ length: 40_000 }, (_, i) => `<si><t>text number ${i}</t></si>`).join("");
  const { fault } = await refused(workbookOf(book(CELL, { strings })), { heldBytes: 500_000 });
  expect(fault).toMatchObject({ code: "limit_exceeded", field: "heldBytes", message: expect.stringMatching(/limit heldBytes/) });
});

test("no entity is expanded, and none is fetched", async () => {
  const declared = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "&a;&a;&a;">]>';
  for (const part of ["xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/worksheets/sheet1.xml", "_rels/.rels"]) {
    const parts = partsOf(book(CELL, { strings: "<si><t>a</t></si>" }));
    const { fault } = await refused(zipOf({ ...parts, [part]: String(parts[part]).replace(/<\?xml[^>]*\?>/, declared) }));
    expect(fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/document type declaration/) });
  }
});

test("a zip of very many entries is refused before they are read", async () => {
  const many = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`f${i}`, ""]));
  const { fault } = await refused(zipOf({ ...partsOf(book(CELL)), ...many }, { stored: true }));
  expect(fault).toMatchObject({ code: "limit_exceeded", field: "zipEntries" });
});

test("a part whose checksum is wrong is told, even when all of its cells were read", async () => {
  const parts = partsOf(book(CELL.repeat(3)));
  const name = "xl/worksheets/sheet1.xml";
  const data = deflateRawSync(String(parts[name]));
  const good = { data, size: String(parts[name]).length, crc: crc32(String(parts[name])) };
  expect((await convertBytes("a.xlsx", zipOf(parts, { packed: { [name]: good } }))).outcome.kind).toBe("tables");
  const { fault } = await refused(zipOf(parts, { packed: { [name]: { ...good, crc: good.crc ^ 1 } } }));
  expect(fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/checksum/) });
});
