import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { convertBytes, failedWith } from "./convert-kit.ts";

const JPEG = Buffer.from("ffd8ffe000104a46494600010100", "hex");
const ZIP = (member: string) => {
  const header = Buffer.alloc(30);
  header.write("PK\x03\x04", "latin1");
  header.writeUInt16LE(member.length, 26);
  return Buffer.concat([header, Buffer.from(member), Buffer.alloc(64, 1)]);
};
const CSV = "a,b\n1,x\n2,y\n";

const OPAQUE: readonly [string, string | Uint8Array, string][] = [
  ["full_vn_map.jpg", JPEG, "image/jpeg"],
  ["photo", JPEG, "image/jpeg"],
  ["notes.txt", "just a few words\nand some more\n", "text/plain"],
  ["prose.txt", "Dear Ann, how are you\nWell, I hope, and soon here\n", "text/plain"],
  ["empty.txt", "", "text/plain"],
  ["empty.bin", "", "application/octet-stream"],
  ["data", CSV, "text/plain"],
  ["data.dat", Buffer.from([0, 1, 2, 3]), "application/octet-stream"],
  ["backup.tar.gz", gzipSync("tar"), "application/gzip"],
  ["backup.gz", gzipSync(CSV), "application/gzip"],
  ["letter.docx", ZIP("word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ["photos.zip", ZIP("a.jpg"), "application/zip"],
  ["page.html", "<html></html>", "text/html"],
  ["letter.doc", Buffer.from("d0cf11e0a1b11ae1", "hex"), "application/msword"],
];

test.each(OPAQUE)("%s is kept as it is", async (name, content, contentType) => {
  const { outcome } = await convertBytes(name, content);
  expect(outcome).toMatchObject({ kind: "opaque", contentType });
});

const FAILED: readonly [string, string | Uint8Array, string, RegExp][] = [
  ["page.csv", "<!DOCTYPE html>\n<html><body>404</body></html>", "format_mismatch", /HTML/],
  ["page.csv.gz", gzipSync("  <html><body>404</body></html>"), "format_mismatch", /HTML/],
  ["denied.csv", "<Error><Code>AccessDenied</Code></Error>", "format_mismatch", /XML/],
  ["feed.csv", '<rows a="1">\n  <row>1</row>\n</rows>\n', "format_mismatch", /XML/],
  ["answer.csv", '{"error":"not found"}', "format_mismatch", /content is JSON/],
  ["answer.csv.gz", gzipSync('{"error":"not found"}\n'), "format_mismatch", /content is JSON/],
  ["rows.tsv", '\ufeff[\n  {\n    "a": 1\n  }\n]\n', "format_mismatch", /content is JSON/],
  ["photo.csv", JPEG, "format_mismatch", /JPEG/],
  ["table.csv", "PAR1\0\0\0\0PAR1", "format_mismatch", /Parquet/],
  ["binary.csv", Buffer.from([65, 0, 66, 10]), "format_mismatch", /NUL at byte 1/],
  ["photo.parquet", JPEG, "format_mismatch", /JPEG/],
  ["text.parquet", CSV, "format_mismatch", /no parquet/],
  ["empty.csv", "", "unreadable", /0 bytes/],
  ["empty.parquet", "", "unreadable", /0 bytes/],
  ["blank.csv", "\n\n", "unreadable", /no header row/],
  ["bom-only.csv", "\ufeff", "unreadable", /no header row/],
  ["cut.parquet", "PAR1\0\0\0\0\0\0\0\0\0\0\0\0", "unreadable", /last four bytes/],
  ["liar.parquet", "PAR1\xff\xff\xff\x7fPAR1", "unreadable", /footer/],
  ["tiny.parquet", "PAR1\0\0", "unreadable", /6 bytes/],
  ["utf16.csv", Buffer.concat([Buffer.from("\ufeffa,b\n1,", "utf16le"), Buffer.of(50)]), "unreadable", /byte 14: the file ends within/],
  ["broken-utf8.csv", Buffer.concat([Buffer.from("é,b\n1,caf"), Buffer.of(0xe9, 10)]), "nothing_loaded", /byte 10 \(0xe9\)/],
  ["a.json", "{}", "unreadable", /none of the rows holds a value/],
  ["a.xlsx", ZIP("[Content_Types].xml"), "unreadable", /no readable zip archive/],
  ["a.xls", Buffer.from("d0cf11e0a1b11ae1", "hex"), "unreadable", /OLE2 document is damaged/],
  ["a.orc", "ORC\x00\x01", "unreadable", /no readable ORC/],
  ["a.arrow", "ARROW1\0\0", "unreadable", /cut off/],
  ["a.feather", "ARROW1\0\0", "unreadable", /cut off/],
  ["unnamed", "ARROW1\0\0", "unreadable", /cut off/],
  ["a.arrow", "a,b\n1,2\n", "unreadable", /no readable Arrow/],
  ["a.feather", "FEA1\0\0\0\0\0", "unsupported_format", /version 1/],
  ["a.xlsx", "<html></html>", "format_mismatch", /HTML/],
  ["a.csv.bz2", "BZh91AY&SY\x00", "unreadable", /bzip2 stream is cut off/],
  ["a.csv.zst", Buffer.from("28b52ffd00", "hex"), "unreadable", /zstd stream is cut off/],
  ["a.csv.xz", Buffer.from("fd377a585a00", "hex"), "unreadable", /xz stream is cut off/],
  ["a.csv.zip", ZIP("a.csv"), "unreadable", /no readable zip/],
  ["a.zip", ZIP("a.csv"), "unreadable", /no readable zip/],
];

test.each(FAILED)("%s fails and says what is wrong (%#)", async (name, content, code, message) => {
  const { outcome, parts } = await convertBytes(name, content);
  const { fault, counts } = failedWith(outcome);
  expect(fault).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(counts.loaded).toBe(0);
  expect(parts).toEqual([]);
});

test("a declared format wins over the name, and content that contradicts it fails", async () => {
  expect((await convertBytes("data.bin", CSV, { options: { format: "csv" } })).outcome).toMatchObject({
    kind: "tables",
    detected: { format: "csv", by: "option" },
  });
  expect((await convertBytes("a.csv", CSV, { options: { format: "opaque" } })).outcome).toMatchObject({ kind: "opaque" });
  expect(failedWith((await convertBytes("a.csv", JPEG, { options: { format: "csv" } })).outcome).fault.code).toBe("format_mismatch");
  expect(failedWith((await convertBytes("a.csv", CSV, { options: { format: "parquet" } })).outcome).fault.code).toBe("format_mismatch");
  expect(failedWith((await convertBytes("a.csv", CSV, { options: { compression: "gzip" } })).outcome).fault.code).toBe("format_mismatch");
  const gzip = gzipSync(CSV);
  expect(failedWith((await convertBytes("a.csv", gzip, { options: { compression: "none" } })).outcome).fault.code).toBe("format_mismatch");
});

test("a csv whose first letters are a signature is still a csv", async () => {
  for (const header of ["ORCID,b", "PAR1,PAR2", "BZhou,b", "abcdftypes,b"]) {
    expect((await convertBytes("a.csv", `${header}\n1,2\n`)).outcome.kind).toBe("tables");
  }
});

test("gzip is told by its bytes, whatever the name says", async () => {
  for (const [name, content] of [
    ["a.csv.gz", gzipSync(CSV)],
    ["a.csv", gzipSync(CSV)],
    ["a.csv.gz", Buffer.from(CSV)],
    ["a.txt.gz", gzipSync(CSV)],
  ] as const) {
    expect((await convertBytes(name, content)).outcome).toMatchObject({ kind: "tables", counts: { read: 2, loaded: 2 } });
  }
});

test.each([
  ["tags in a header", "<id>,<name>\n1,x\n"],
  ["braces in a header", "{id},[name]\n1,x\n"],
  ["a list's brackets around a row", "[a,b]\n[1,2]\n"],
])("%s make a csv neither markup nor JSON", async (_, text) => {
  expect((await convertBytes("a.csv", text)).outcome).toMatchObject({ kind: "tables" });
});
