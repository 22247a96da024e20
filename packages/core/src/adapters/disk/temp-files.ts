import { randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { diskFault } from "./disk-fault.ts";
import type { Folders } from "./folders.ts";
import { TEMP_FOLDER } from "./paths.ts";

/** The folder of unfinished puts, shared by every process of the store. */
export interface TempFiles {
  /** Runs with a fresh temporary path; what is there when the work fails is removed. */
  use<T>(work: (path: string) => Promise<T>): Promise<T>;
  /** Removes files last written before the time; resolves to how many. */
  sweep(olderThanMs: number): Promise<number>;
}

/** Names are unique over processes: a random one for this store, and a counter. Its own live files are never swept. */
export function tempFiles(root: string, folders: Folders): TempFiles {
  const folder = join(root, TEMP_FOLDER);
  const session = randomBytes(9).toString("hex");
  const live = new Set<string>();
  let count = 0;
  return {
    use: async (work) => {
      const name = `${session}.${++count}`;
      live.add(name);
      try {
        return await work(join(folder, name));
      } catch (error) {
        await rm(join(folder, name), { force: true }).catch(() => undefined);
        throw error;
      } finally {
        live.delete(name);
      }
    },
    sweep: async (olderThanMs) => {
      let swept = 0;
      try {
        await folders.ensure(folder);
        for (const name of await readdir(folder)) {
          if (live.has(name)) continue;
          const path = join(folder, name);
          const stats = await stat(path).catch(() => null);
          if (stats === null || stats.mtimeMs >= olderThanMs) continue;
          await rm(path, { force: true });
          swept++;
        }
      } catch (error) {
        throw diskFault(error, "sweep temporary files");
      }
      return swept;
    },
  };
}
