import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { assemble, SOURCES } from "../../../../../scripts/build-wasm.mjs";

test("the WebAssembly in the repository is what its sources assemble to", async () => {
  expect(SOURCES.length).toBeGreaterThan(0);
  for (const source of SOURCES) {
    const { path, content } = await assemble(source);
    expect(readFileSync(path, "utf8")).toBe(content);
  }
});
