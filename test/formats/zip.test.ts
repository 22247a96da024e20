import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { convertBytes, failedWith, loaded, rowsOf, typesOf } from "./convert-kit.ts";
import { zipOf, type ZipPart } from "./zip-writer.ts";

const A = "id,name\n1,x\n2,y\n";
const B = "id,name\n3,z\n";
const tablesOf = async (name: string, parts: readonly ZipPart[], options = {}) => {
  const result = await convertBytes(name, zipOf(parts), { options, rules: { maxRejects: { share: 0.5 } } });
  return { ...result, tables: loaded(result.outcome).tables.map(({ table }) => table) };
};
const faultOf = async (name: string, bytes: Uint8Array, asked = {}) => failedWith((await convertBytes(name, bytes, asked)).outcome).fault;

test("the rows of every tabular file in a zip are loaded, in the directory's order", async () => {
  const result = await tablesOf("both.zip", [
    { name: "a.csv", content: A },
    { name: "b.csv", content: B },
  ]);
  expect(result.tables).toEqual(["main"]);
  expect(result.outcome).toMatchObject({ detected: { format: "csv", compression: "zip" }, counts: { read: 3, loaded: 3 } });
  expect(await rowsOf(result)).toEqual([
    { id: 1n, name: "x" },
    { id: 2n, name: "y" },
    { id: 3n, name: "z" },
  ]);
});

test("row numbers run on over the files of a union, also in its rejects", async () => {
  const result = await tablesOf(
    "both.zip",
    [
      { name: "a.csv", content: "id,name\n1,x\n2\n3,y\n" },
      { name: "b.csv", content: "name,id\nz\nw,5\n" },
    ],
    { lineage: true },
  );
  expect((await rowsOf(result)).map((row) => [row["_row"], row["id"], row["name"]])).toEqual([
    [1n, 1n, "x"],
    [3n, 3n, "y"],
    [5n, 5n, "w"],
  ]);
  expect(loaded(result.outcome)).toMatchObject({
    counts: { read: 5, loaded: 3, rejected: 2 },
    rejects: [{ row: 2 }, { row: 4 }],
  });
});

test("row numbers run on over the files of a union whose last rows an option leaves out", async () => {
  const parts = ["a.csv", "b.csv"].map((name) => ({ name, content: "id\n1\n2\n3\n" }));
  const result = await tablesOf("both.zip", parts, { lineage: true, skip_footer: 1 });
  expect((await rowsOf(result)).map((row) => row["_row"])).toEqual([1n, 2n, 4n, 5n]);
});

test("files whose columns differ become tables of their own, named after them", async () => {
  const parts = [
    { name: "2026/orders.csv", content: A },
    { name: "2026/lines.csv.gz", content: gzipSync("order,amount\n1,2.5\n") },
    { name: "2025/orders.tsv", content: "id\tname\n9\tq\n" },
    { name: "2026/notes.md", content: "# not a table" },
  ];
  expect((await tablesOf("shop.zip", parts)).tables).toEqual(["orders", "lines", "orders_1"]);
  const union = await tablesOf("shop.zip", parts, { tables: "union" });
  expect(union.tables).toEqual(["main"]);
  expect(typesOf(union.outcome)).toEqual({ id: "int64", name: "text", order: "int64", amount: "double" });
  expect(loaded(union.outcome).counts).toMatchObject({ read: 4, loaded: 4 });
  const first = await tablesOf("shop.zip", parts, { tables: "first" });
  expect([first.tables, loaded(first.outcome).counts.read]).toEqual([["main"], 2]);
  const named = await tablesOf("shop.zip", parts.slice(0, 1), { tables: "by_name" });
  expect(named.tables).toEqual(["orders"]);
  const chosen = await tablesOf("shop.zip", parts, { sheets: ["2026/lines.csv.gz", 0] });
  expect(chosen.tables).toEqual(["lines", "orders"]);
});

test("a column's type is found over all files of a union, in whatever formats they come", async () => {
  const parquet = (await convertBytes("p.csv", "id,name\n7,p\n")).parts[0] ?? new Uint8Array(0);
  const result = await tablesOf("mixed.zip", [
    { name: "a.csv", content: "id,name\n1.5,x\n" },
    { name: "p.parquet", content: parquet },
  ]);
  expect(typesOf(result.outcome)).toEqual({ id: "double", name: "text" });
  expect(await rowsOf(result)).toEqual([
    { id: 1.5, name: "x" },
    { id: 7, name: "p" },
  ]);
});

test("what file managers leave behind is no table", async () => {
  const { tables } = await tablesOf("a.zip", [
    { name: "data/", method: 0 },
    { name: "data/a.csv", content: A },
    { name: "__MACOSX/data/._a.csv", content: Buffer.from([0, 5, 22, 7]) },
    { name: "data/.hidden.csv", content: "x" },
    { name: ".DS_Store", content: Buffer.from([0, 0, 0, 1]) },
  ]);
  expect(tables).toEqual(["main"]);
});

describe("how an entry is packed", () => {
  const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures/compressed", name));
  const rows = fixture("rows.csv");
  const ways: readonly [string, Partial<ZipPart>][] = [
    ["stored", { method: 0 }],
    ["deflated", {}],
    ["with its sizes behind it", { descriptor: true }],
    ["with zip64 fields", { zip64: true }],
    ["by bzip2", { method: 12, packed: fixture("rows.csv.bz2") }],
    ["by xz", { method: 95, packed: fixture("rows.csv.xz") }],
    ["by zstd", { method: 93, packed: zstdCompressSync(rows) }],
  ];
  test.each(ways)("%s, it is read", async (_, way) => {
    const { outcome } = await convertBytes("a.csv.zip", zipOf([{ name: "a.csv", content: rows, ...way }]), { readBytes: 1_000 });
    expect(loaded(outcome).counts.loaded).toBe(2007);
  });
});

const REFUSED: readonly [string, string, Uint8Array, string, RegExp][] = [
  [
    "a claim of too few bytes",
    "a.zip",
    zipOf([{ name: "a.csv", content: A, bytes: 5 }]),
    "unreadable",
    /"a.csv" is broken: .*more than the 5 bytes/,
  ],
  [
    "a claim of too many bytes",
    "a.zip",
    zipOf([{ name: "a.csv", content: A, bytes: 500 }]),
    "unreadable",
    /holds 16 bytes, but claims 500/,
  ],
  ["a wrong checksum", "a.zip", zipOf([{ name: "a.csv", content: A, crc: 7 }]), "unreadable", /"a.csv" is broken: its checksum/],
  ["a password", "a.zip", zipOf([{ name: "a.csv", content: A, flags: 1 }]), "unsupported_format", /"a.csv" is encrypted/],
  ["an unknown method", "a.zip", zipOf([{ name: "a.csv", content: A, method: 9 }]), "unsupported_format", /"a.csv" is packed by method 9/],
  ["a name that leads out of its folder", "a.zip", zipOf([{ name: "../a.csv", content: A }]), "unreadable", /invalid relative path/],
  ["an absolute name", "a.csv.zip", zipOf([{ name: "/etc/a.csv", content: A }]), "unreadable", /absolute path/],
  ["a zip within", "a.zip", zipOf([{ name: "b.csv.zip", content: zipOf([{ name: "b.csv", content: A }]) }]), "limit_exceeded", /zipDepth/],
  ["a web page among its tables", "a.zip", zipOf([{ name: "p.csv", content: "<html></html>" }]), "format_mismatch", /"p.csv": .*HTML/],
  ["nothing tabular, but a name that says so", "a.csv.zip", zipOf([]), "unreadable", /holds no tabular file/],
  ["no directory", "a.csv.zip", zipOf([{ name: "a.csv", content: A }]).subarray(0, 60), "unreadable", /no readable zip archive/],
  [
    "entries that share their bytes",
    "a.zip",
    zipOf([
      { name: "a.csv", content: A },
      { name: "b.csv", content: A, sharesWith: 0 },
    ]),
    "unreadable",
    /"b.csv" begins within "a.csv"/,
  ],
];
test.each(REFUSED)("%s is refused", async (_, name, bytes, code, message) => {
  expect(await faultOf(name, bytes)).toMatchObject({ code, message: expect.stringMatching(message) });
});

test("limits are read from the directory before anything is unpacked", async () => {
  const many = zipOf(Array.from({ length: 11 }, (_, i) => ({ name: `${i}.csv`, content: A })));
  expect(await faultOf("a.csv.zip", many, { limits: { zipEntries: 10 } })).toMatchObject({
    code: "limit_exceeded",
    field: "zipEntries",
    limit: 10,
    value: 11,
  });
  const large = zipOf([{ name: "a.csv", content: A, bytes: 4e9 }]);
  expect(await faultOf("a.zip", large, { limits: { decodedBytes: 1e9 } })).toMatchObject({
    code: "limit_exceeded",
    field: "decodedBytes",
    limit: 1e9,
  });
});

test("the files of a zip share one budget of decoded bytes", async () => {
  const rows = "a,b\n" + "1,2\n".repeat(50_000);
  const parts = Array.from({ length: 4 }, (_, i) => ({ name: `${i}.csv.gz`, content: gzipSync(rows), method: 0 }));
  expect(loaded((await convertBytes("a.zip", zipOf(parts))).outcome).counts.loaded).toBe(200_000);
  expect(await faultOf("a.zip", zipOf(parts), { limits: { decodedBytes: 3 * rows.length } })).toMatchObject({ field: "decodedBytes" });
});

test("a zip is what its parts say: a workbook, a document, pictures, or tables", async () => {
  const workbook = [
    { name: "[Content_Types].xml", content: "<Types/>" },
    { name: "xl/workbook.xml", content: "<workbook/>" },
  ];
  expect((await convertBytes("unnamed", zipOf(workbook))).outcome).toMatchObject({ detected: { format: "xlsx", by: "magic" } });
  expect((await convertBytes("a.csv", zipOf(workbook))).outcome).toMatchObject({ fault: { code: "format_mismatch" } });
  for (const [name, parts] of [
    ["letter.docx", [{ name: "word/document.xml", content: "<w/>" }]],
    ["photos.zip", [{ name: "1.jpg", content: "\xff\xd8\xff" }]],
    ["app.jar", [{ name: "data.csv", content: A }]],
    ["backup", [{ name: "data.csv", content: A }]],
    ["nested.zip", [{ name: "inner.zip", content: zipOf([{ name: "a.jpg" }]) }]],
  ] as const) {
    expect((await convertBytes(name, zipOf(parts))).outcome.kind).toBe("opaque");
  }
  expect((await convertBytes("data.csv", zipOf([{ name: "data.csv", content: A }]))).outcome).toMatchObject({
    detected: { format: "csv", compression: "zip" },
  });
});

test("a declared format is that of the members which no name declares; compression=none opens no zip", async () => {
  const parts = [{ name: "export", content: A }];
  expect((await convertBytes("a.zip", zipOf(parts))).outcome.kind).toBe("opaque");
  expect((await convertBytes("a.zip", zipOf(parts), { options: { format: "csv" } })).outcome).toMatchObject({ counts: { loaded: 2 } });
  expect((await convertBytes("a.csv.zip", zipOf(parts))).outcome).toMatchObject({ counts: { loaded: 2 } });
  expect((await convertBytes("a.csv", zipOf(parts), { options: { compression: "none" } })).outcome).toMatchObject({
    fault: { code: "format_mismatch" },
  });
  expect(await faultOf("a.csv", Buffer.from(A), { options: { compression: "zip" } })).toMatchObject({ code: "format_mismatch" });
});

test("what is wrong with one file of a zip fails the whole, with its name and every row accounted for", async () => {
  const parts = [
    { name: "a.csv", content: A },
    { name: "b.csv", content: "x,y\n1,2\n" },
    { name: "c.csv", content: 'p,q\n1,"open\n' },
  ];
  const { outcome } = await convertBytes("three.zip", zipOf(parts));
  const { fault, counts } = failedWith(outcome);
  expect(fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/"c.csv": .*never closed/) });
  expect(counts).toMatchObject({ loaded: 0, read: counts.skipped + counts.rejected });
});

test("rows of a file that fails count beside those of the files before it in the zip, looked at or not", async () => {
  const parts = [
    { name: "a.csv", content: A },
    { name: "b.csv", content: `id,name\n${"3,z\n".repeat(20_000)}4,"open\n` },
  ];
  const known = loaded((await convertBytes("a.csv", A, { options: { default_type: { kind: "text" } } })).outcome).tables[0]?.schema;
  if (known === undefined) throw new Error("no table");
  const options = { tables: "by_name" } as const;
  const { outcome } = await convertBytes("two.zip", zipOf(parts), { options, schemas: { a: known } });
  const alone = failedWith((await convertBytes("b.csv", parts[1]?.content ?? "")).outcome).counts;
  expect(alone.read).toBeGreaterThan(0);
  expect(failedWith(outcome).counts).toEqual({ read: alone.read + 2, loaded: 0, rejected: 0, skipped: alone.read + 2, warnings: 0 });
});

test("JSON files of a zip whose later rows bring columns agree or not by all of their rows", async () => {
  const row = (i: number, more = "") => `{"id": ${i}${more}}\n`;
  const many = Array.from({ length: 3_000 }, (_, i) => row(i)).join("");
  const parts = [
    { name: "a.jsonl", content: many + row(1, ', "late": "x"') },
    { name: "b.jsonl", content: row(2, ', "late": "y"') },
  ];
  const union = await tablesOf("logs.zip", parts);
  expect(union.tables).toEqual(["main"]);
  expect(typesOf(union.outcome)).toEqual({ id: "int64", late: "text" });
  expect(loaded(union.outcome).counts.loaded).toBe(3_002);
  const named = await tablesOf("logs.zip", parts, { tables: "by_name" });
  expect([named.tables, loaded(named.outcome).counts.loaded]).toEqual([["a", "b"], 3_002]);
});

test("workbooks and Parquet files in a zip, which are held in memory one at a time, are read table by table", async () => {
  const grid = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures/grid", name));
  const result = await tablesOf("all.zip", [
    { name: "a.xlsx", content: grid("xlsx.xlsx") },
    { name: "b.parquet", content: grid("parquet.parquet") },
    { name: "c.orc.zst", content: zstdCompressSync(grid("orc.orc")), method: 0 },
    { name: "d.arrow", content: grid("arrow-file.arrow"), method: 0 },
    { name: "e.json", content: grid("json-columns.json") },
  ]);
  expect(result.tables).toEqual(["main"]);
  expect(typesOf(result.outcome)).toEqual({ id: "int64", price: "double", name: "text", day: "date", note: "text" });
  expect(loaded(result.outcome).counts).toMatchObject({ read: 25, loaded: 25 });
});

test("a zip of files in Windows-1252 is read like one such file", async () => {
  const latin1 = (text: string) => Buffer.from(text, "latin1");
  const result = await tablesOf("old.zip", [
    { name: "a.csv", content: latin1("id,name\n1,caf\xe9\n") },
    { name: "b.csv", content: latin1("id,name\n2,na\xefve\n") },
  ]);
  expect((await rowsOf(result)).map((row) => row["name"])).toEqual(["caf\u00e9", "na\u00efve"]);
});

test("a dry run of a zip shows every table, and raw bytes never count backwards", async () => {
  const rows = "id,name\n" + "1,x\n".repeat(30_000);
  const bytes = zipOf([
    { name: "a.csv", content: rows },
    { name: "b.csv", content: rows.replace("name", "other") },
  ]);
  const { outcome } = await convertBytes("two.zip", bytes, { mode: "inspect" });
  expect(outcome).toMatchObject({ kind: "inspected", inspection: { fault: null, tables: [{ table: "a" }, { table: "b" }] } });
});
