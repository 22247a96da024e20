import { expect, test } from "vitest";
import { corpus } from "./corpus.ts";
import { scoreZips } from "./scores/yauzl-zips.ts";

const folder = corpus("yauzl-zips");

test.runIf(folder !== null)(
  "the 24 malformed zips are refused, the good ones read but for encrypted ones and an unknown method",
  async () => {
    const { malformed, good } = await scoreZips(folder ?? "");
    expect(malformed.size).toBe(24);
    for (const [name, result] of malformed) expect(`${name}: ${result}`).toMatch(/: (unreadable|unsupported_format): /);
    expect(good.size).toBe(22);
    const refused = [...good].filter(([, result]) => !result.startsWith("read "));
    expect(refused.map(([name]) => name).toSorted()).toEqual([
      "bogus-compression-method.zip",
      "traditional-encryption-and-compression.zip",
      "traditional-encryption-and-compression_deprecated.zip",
      "traditional-encryption.zip",
      "traditional-encryption_deprecated.zip",
    ]);
    for (const [, result] of refused) expect(result).toMatch(/^unsupported_format: .*(is encrypted|method 7)/);
  },
);
