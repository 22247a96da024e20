import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertBytes, failedWith, loaded } from "./convert-kit.ts";

const bytes = readFileSync(join(import.meta.dirname, "parquet-fixtures/checksums.parquet"));

test("pages that agree with their checksums are loaded", async () => {
  expect(loaded((await convertBytes("a.parquet", bytes)).outcome).counts.loaded).toBe(1000);
});

test("one flipped bit in a page with a checksum makes the file unreadable", async () => {
  const at = bytes.indexOf("text 3");
  const damaged = Buffer.from(bytes);
  damaged[at] = (damaged[at] ?? 0) ^ 1;
  const { fault } = failedWith((await convertBytes("a.parquet", damaged)).outcome);
  expect(fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/checksum/) });
});
