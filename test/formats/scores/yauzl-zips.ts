import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFault } from "../../../packages/core/src/domain/fault.ts";
import { ZipReader } from "../../../packages/core/src/formats/zip-reader.ts";
import { DEFAULT_LIMITS } from "../../../packages/core/src/ports/converter.ts";

const LIMITS = { ...DEFAULT_LIMITS, chunkBytes: 512 * 1024 };

/** What came of reading every entry of a zip: how many bytes, or the code and words of the fault. */
async function readZip(path: string, strictNames: boolean): Promise<string> {
  const bytes = readFileSync(path);
  const source = { size: bytes.length, read: async (from: number, to: number) => bytes.subarray(from, to) };
  try {
    const zip = await ZipReader.open(source, LIMITS, strictNames);
    let read = 0;
    for (const entry of zip.entries) {
      if (!entry.folder) for await (const chunk of zip.read(entry)) read += chunk.bytes.length;
    }
    return `read ${zip.entries.length} entries, ${read} bytes`;
  } catch (error) {
    if (isFault(error) && error.blame === "content") return `${error.code}: ${error.message}`;
    throw error;
  }
}

export interface ZipScore {
  /** By file name; the malformed ones are read with strict names, as their makers do. */
  readonly malformed: ReadonlyMap<string, string>;
  readonly good: ReadonlyMap<string, string>;
}

/** Reads the zips of yauzl's own tests, which `folder` holds. */
export async function scoreZips(folder: string): Promise<ZipScore> {
  const all = async (kind: string, strict: boolean) => {
    const names = readdirSync(join(folder, "test", kind)).filter((name) => name.endsWith(".zip"));
    const results = new Map<string, string>();
    for (const name of names) results.set(name, await readZip(join(folder, "test", kind, name), strict));
    return results;
  };
  return { malformed: await all("failure", true), good: await all("success", false) };
}
