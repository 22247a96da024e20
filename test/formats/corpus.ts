import { existsSync } from "node:fs";
import { join } from "node:path";

const SHARED = join(import.meta.dirname, "../../../shared/corpora");

/** A folder of the public corpora beside the repository, or null, said aloud, where it is not there. */
export function corpus(folder: string): string | null {
  const path = join(SHARED, folder);
  if (existsSync(path)) return path;
  console.warn(`NOT REACHED: ${path} is not there, so nothing of it is tested`);
  return null;
}
