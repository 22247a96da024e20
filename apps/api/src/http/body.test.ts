import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { isFault } from "@sluice/core/domain/fault";
import { MAX_FILES, openUpload, type UploadRules } from "./body.ts";

const RULES: UploadRules = { maxBytes: 1_000_000, fields: ["path", "format"], given: new Map(), raw: true, name: null };

/** A request whose body arrives in these chunks. */
function requestOf(headers: Record<string, string>, chunks: readonly (string | Buffer)[]): IncomingMessage {
  const stream = Readable.from(
    chunks.map((chunk) => Buffer.from(chunk)),
    { objectMode: false },
  );
  return Object.assign(stream, { headers, complete: true }) as unknown as IncomingMessage;
}

async function read(headers: Record<string, string>, chunks: readonly (string | Buffer)[], rules: Partial<UploadRules> = {}) {
  using upload = openUpload(requestOf(headers, chunks), {} as ServerResponse, { ...RULES, ...rules });
  const files: { name: string; text: string; type: string | null; hint: number | null }[] = [];
  for await (const file of upload.files) {
    const bytes: Uint8Array[] = [];
    for await (const chunk of file.bytes) bytes.push(chunk);
    files.push({ name: file.name, text: Buffer.concat(bytes).toString(), type: file.contentType, hint: file.sizeHint });
  }
  return { files, fields: Object.fromEntries(upload.fields), received: upload.received() };
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  const error: unknown = await work.catch((error: unknown) => error);
  return isFault(error) ? error.code : error;
}

const FORM = { "content-type": "multipart/form-data; boundary=b" };
const part = (headers: string, content: string) => `--b\r\nContent-Disposition: form-data; ${headers}\r\n\r\n${content}\r\n`;
const file = (name: string, content: string) => part(`name="file"; filename="${name}"`, content);

test("fields before and after the files are all there at the end", async () => {
  const body = `${part('name="path"', "/a")}${file("x.csv", "1")}${part('name="format"', "csv")}${file("y.csv", "2")}--b--`;
  const found = await read(FORM, [body], { given: new Map() });
  expect(found.files.map(({ name, text }) => [name, text])).toEqual([
    ["x.csv", "1"],
    ["y.csv", "2"],
  ]);
  expect([found.fields, found.received]).toEqual([{ path: "/a", format: "csv" }, body.length]);
});

test("a raw body is one file under its given name, or Content-Disposition's", async () => {
  const typed = { "content-type": "text/csv", "content-length": "4" };
  expect((await read(typed, ["a", "bcd"], { name: "n.csv" })).files).toEqual([{ name: "n.csv", text: "abcd", type: "text/csv", hint: 4 }]);
  // Node hands headers on as Latin-1.
  const sent = Buffer.from('attachment; filename="Số.csv"').toString("latin1");
  expect((await read({ "content-disposition": sent }, ["a"])).files).toEqual([{ name: "Số.csv", text: "a", type: null, hint: null }]);
  expect(await codeOf(read({}, ["a"]))).toBe("missing_field");
  expect(await codeOf(read({}, ["a"], { raw: false }))).toBe("unsupported_media_type");
});

test("a given name names the one file of a form, and no second one", async () => {
  expect((await read(FORM, [`${file("x", "1")}--b--`], { name: "n.csv" })).files[0]?.name).toBe("n.csv");
  expect(await codeOf(read(FORM, [`${file("x", "1")}${file("y", "2")}--b--`], { name: "n.csv" }))).toBe("invalid_field");
});

test("the limit counts all files of a form together, to the byte", async () => {
  const body = [`${file("x", "12345")}${file("y", "67890")}--b--`];
  expect((await read(FORM, body, { maxBytes: 10 })).files).toHaveLength(2);
  expect(await codeOf(read(FORM, body, { maxBytes: 9 }))).toBe("too_large");
  expect(await codeOf(read({}, ["12345", "67890"], { maxBytes: 9, name: "n" }))).toBe("too_large");
  expect(await codeOf(read({ "content-length": "10" }, [], { maxBytes: 9, name: "n" }))).toBe("too_large");
});

test("a form has at most 1,000 files", async () => {
  const files = Array.from({ length: MAX_FILES }, (_, i) => file(`${i}`, "x")).join("");
  expect((await read(FORM, [`${files}--b--`])).files).toHaveLength(MAX_FILES);
  expect(await codeOf(read(FORM, [`${files}${file("more", "x")}--b--`]))).toBe("bad_multipart");
});
