import { expect, test } from "vitest";
import type { Fault } from "../domain/fault.ts";
import { utf8Text } from "./utf8-text.ts";

async function read(bytes: Uint8Array, size: number): Promise<string> {
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield { bytes: bytes.subarray(at, at + size), rawBytes: at };
  };
  let text = "";
  for await (const chunk of utf8Text(chunks())) {
    // The offset of a chunk is where its first byte stands.
    expect(Buffer.from(bytes.subarray(chunk.byteOffset, chunk.byteOffset + chunk.byteLength)).toString("utf8")).toBe(chunk.text);
    text += chunk.text;
  }
  return text;
}

const TEXT = "aé€𝒳z\u0000ž";

test("characters that are cut by a chunk's end come whole, a mark at the start is left out", async () => {
  for (const mark of ["", "\ufeff"]) {
    const bytes = Buffer.from(mark + TEXT);
    for (let size = 1; size <= bytes.length; size++) expect(await read(bytes, size)).toBe(TEXT);
  }
});

test.each(["c328", "e28028", "f0288cbc", "eda080", "ff", "c0af", "f4908080", "e282"])(
  "bytes %s are refused with their offset",
  async (hex) => {
    for (const before of [0, 1, 5, 100, 5000]) {
      const bytes = Buffer.concat([Buffer.from("é".repeat(before)), Buffer.from(hex, "hex"), Buffer.from(hex === "e282" ? "" : "tail")]);
      for (const size of [1, 3, 7, 4096, 1 << 20]) {
        const fault = await read(bytes, size).then(
          () => null,
          (error: unknown) => error as Fault,
        );
        expect(fault).toMatchObject({ code: "unreadable", detail: { value: before * 2 } });
      }
    }
  },
);
