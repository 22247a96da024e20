/**
 * Assembles the WebAssembly text sources into TypeScript files that hold the module's bytes, so that nothing has to be
 * assembled to run. `node scripts/build-wasm.mjs` writes them; a test asks `assemble` whether they are up to date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";

const root = join(import.meta.dirname, "..");
export const SOURCES = ["packages/core/src/formats/csv/tokeniser.wat"];

/** The path and content of the file that is built from a source. */
export async function assemble(source) {
  const tools = await wabt();
  const module = tools.parseWat(source, readFileSync(join(root, source), "utf8"), { simd: true, bulk_memory: true });
  module.validate();
  const { buffer } = module.toBinary({});
  const base64 = Buffer.from(buffer).toString("base64");
  const name = source.split("/").at(-1);
  const content = [
    `// Assembled from ${name} by scripts/build-wasm.mjs: change that, not this.`,
    "/** The module's bytes in base64. */",
    `export const MODULE =\n  "${base64}";`,
    "",
  ].join("\n");
  return { path: join(root, source.replace(/\.wat$/, "-wasm.ts")), content };
}

if (process.argv[1] === import.meta.filename) {
  for (const source of SOURCES) {
    const { path, content } = await assemble(source);
    writeFileSync(path, content);
  }
}
