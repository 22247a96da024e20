import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "./disk-fault.ts";
import { keyPieceOfName } from "./paths.ts";

const STATS_AT_ONCE = 32;

/** One object found on disk. */
export interface Found {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/**
 * Every object below the folder, whose own key is `folderKey` (empty or ending in `/`), with the prefix. Symbolic links
 * and names that are not ours are passed over, and what goes away during the walk is left out.
 */
export async function* walk(folder: string, folderKey: string, prefix: string): AsyncGenerator<Found> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const files: { path: string; key: string }[] = [];
  for (const entry of entries) {
    const piece = keyPieceOfName(entry.name, entry.isDirectory());
    if (piece === null) continue;
    const key = folderKey + piece;
    if (entry.isDirectory() && (key.startsWith(prefix) || prefix.startsWith(key))) yield* walk(join(folder, entry.name), key, prefix);
    if (entry.isFile() && key.startsWith(prefix)) files.push({ path: join(folder, entry.name), key });
  }
  for (let at = 0; at < files.length; at += STATS_AT_ONCE) {
    const found = await Promise.all(files.slice(at, at + STATS_AT_ONCE).map((file) => measure(file.path, file.key)));
    for (const one of found) if (one !== null) yield one;
  }
}

/** The inode's change time, not the bytes': a copy is a hard link and keeps the mtime of the first name. */
async function measure(path: string, key: string): Promise<Found | null> {
  try {
    const stats = await lstat(path);
    return { key, bytes: stats.size, modifiedMs: Math.floor(stats.ctimeMs) };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
