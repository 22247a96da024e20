import { isFault } from "@sluice/core/domain/fault";
import { expect, test } from "vitest";
import { fileNameOf, lastParam, parseHeaderParams } from "./header-params.ts";
import { multipartParts } from "./multipart.ts";
import type { ByteSource } from "./request-bytes.ts";

const BOUNDARY = "----x";

function sourceOf(chunks: readonly Uint8Array[]): ByteSource {
  const left = chunks.values();
  return { next: async () => left.next().value ?? null };
}

async function read(chunks: readonly Uint8Array[], boundary = BOUNDARY) {
  const parts: { headers: Record<string, string>; text: string }[] = [];
  for await (const part of multipartParts(sourceOf(chunks), boundary)) {
    const bytes: Uint8Array[] = [];
    for await (const chunk of part.bytes) bytes.push(chunk);
    parts.push({ headers: Object.fromEntries(part.headers), text: Buffer.concat(bytes).toString("latin1") });
  }
  return parts;
}

async function refusal(chunks: readonly Uint8Array[]) {
  const error: unknown = await read(chunks).then(
    () => null,
    (e: unknown) => e,
  );
  if (!isFault(error)) throw new Error(`no fault: ${String(error)}`);
  return { code: error.code, message: error.message };
}

// Contents that look like boundaries, or end like the beginning of one.
const CONTENTS = ["a,b\r\n1,2\r\n", "", "\r\n--", "\r\r\n----x", "\r\n------\r\n--x", "--", "x\r", "\r\n\r\n", "\u00ff\u0000\u0080"];
const BODY = Buffer.from(
  [
    "preamble",
    ...CONTENTS.map((text, i) => `\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="f${i}"\r\nX-Long:\r\n folded\r\n\r\n${text}`),
    `\r\n--${BOUNDARY}  \r\nA: b\r\n\r\n--${BOUNDARY}--\r\nepilogue`,
  ].join(""),
  "latin1",
);

test("a body reads the same wherever its chunks end", async () => {
  const whole = await read([BODY]);
  expect(whole.map((part) => part.text)).toEqual([...CONTENTS, ""]);
  expect(whole[0]?.headers).toEqual({ "content-disposition": 'form-data; name="f0"', "x-long": " folded" });
  for (let at = 1; at < BODY.length; at++) expect(await read([BODY.subarray(0, at), BODY.subarray(at)])).toEqual(whole);
  expect(await read([...BODY].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
});

test("a body cut off at any byte is refused, never a shorter file", async () => {
  const end = BODY.length - "--\r\nepilogue".length;
  for (let at = 0; at <= end; at++) expect((await refusal([BODY.subarray(0, at)])).code).toBe("bad_multipart");
});

test("parts left unread are skipped", async () => {
  const names: (string | undefined)[] = [];
  for await (const part of multipartParts(sourceOf([BODY]), BOUNDARY)) names.push(part.headers.get("content-disposition"));
  expect(names).toHaveLength(CONTENTS.length + 1);
});

test("malformed, doubled and oversized headers are refused with a reason", async () => {
  const withHeaders = (headers: string) => [Buffer.from(`--${BOUNDARY}\r\n${headers}\r\n\r\nx\r\n--${BOUNDARY}--\r\n`)];
  expect((await refusal(withHeaders("no colon"))).message).toContain("not of the form Name: value");
  expect((await refusal(withHeaders("A: b\nC: d"))).message).toContain("not of the form");
  expect((await refusal(withHeaders("A: b\r\na: c"))).message).toContain("stands twice");
  expect((await refusal(withHeaders(`A: ${"x".repeat(20_000)}`))).message).toContain("longer than 16384 bytes");
  expect((await refusal([Buffer.alloc(70_000, 97)])).message).toContain("before the first boundary");
  expect((await refusal([Buffer.from(`--${BOUNDARY}more\r\n\r\n`)])).message).toContain("followed by other text");
});

test("of two boundary parameters the last counts", () => {
  const header = parseHeaderParams("multipart/form-data; boundary=---011; boundary=------------------------d74496d66958873e");
  expect(header && lastParam(header, "boundary")).toBe("------------------------d74496d66958873e");
});

test("file names come as quoted text, raw UTF-8 or RFC 5987", () => {
  const name = (params: string) => {
    const header = parseHeaderParams(`form-data; name="file"; ${params}`);
    return header ? fileNameOf(header) : "malformed";
  };
  expect(name('filename="a \\"b\\"; c.csv"')).toBe('a "b"; c.csv');
  expect(name('filename="C:\\temp\\new.csv"')).toBe("C:\\temp\\new.csv");
  expect(name('filename="Số liệu.csv"')).toBe("Số liệu.csv");
  expect(name("filename=plain.csv; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.csv")).toBe("naïve €.csv");
  expect(name("filename*=iso-8859-1'en'%A3.csv")).toBe("£.csv");
  expect(name("x=y")).toBeNull();
  expect(name('filename="open')).toBe("malformed");
  expect(() => name("filename*=UTF-8''%C3")).toThrow(/RFC 5987/);
  expect(() => name("filename*=utf-16''x")).toThrow(/RFC 5987/);
  expect(() => name('filename="a"; filename="b"')).toThrow(/stands twice/);
});
