import { mkdirSync, realpathSync } from "node:fs";
import { link, lstat, open, rename, rm, unlink, type FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { ObjectStore } from "../../ports/object-store.ts";
import { checkRange } from "../object-key.ts";
import { codeOf, diskFault, isMissing, noObject } from "./disk-fault.ts";
import { foldersBelow, type Folders } from "./folders.ts";
import { spaceFloor } from "./free-space.ts";
import { signLink } from "./link.ts";
import { folderOfPrefix, pathOfKey } from "./paths.ts";
import { readRange } from "./read-range.ts";
import { tempFiles } from "./temp-files.ts";
import { walk } from "./walk.ts";
import { writeFile } from "./write-file.ts";

const REMOVES_AT_ONCE = 8;
const RENAME_TRIES = 10;
/** What `link(2)` answers where a hard link cannot be: other device, none allowed, too many, not known to the file system. */
const NO_LINK = new Set(["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

export interface DiskObjectStoreOptions {
  /** The store's folder, made when missing. */
  readonly root: string;
  /** Puts are refused with `disk_full` when fewer bytes than this would be free; 0 turns the floor off. */
  readonly minFreeBytes: number;
  /** Signs links; every process of the service must have the same. */
  readonly linkSecret: string;
  /** What comes before `/api/v1/objects/…` in a link, without a trailing slash: the public URL, or empty for relative links. */
  readonly linkBase: string;
}

/**
 * Objects as files below a folder. A put is written and fsynced as `.tmp/<name>`, then renamed to its place, whose folder
 * is fsynced; so any number of processes may share the folder. Folders go when their last object is removed.
 */
export function diskObjectStore(options: DiskObjectStoreOptions): ObjectStore {
  mkdirSync(options.root, { recursive: true });
  const root = realpathSync(resolve(options.root));
  const folders = foldersBelow(root);
  const requireSpace = spaceFloor(root, options.minFreeBytes);
  const temp = tempFiles(root, folders);

  const put: ObjectStore["put"] = async (key, source, putOptions = {}) => {
    const path = pathOfKey(root, key);
    putOptions.signal?.throwIfAborted();
    await requireSpace(putOptions.bytes ?? 0).catch((error: unknown) => {
      throw diskFault(error, "measure the free space");
    });
    return temp.use(async (tempPath) => {
      const handle = await openNew(tempPath, folders).catch((error: unknown) => {
        throw diskFault(error, "make a temporary file");
      });
      let closing: Promise<void> | null = null;
      try {
        const stored = await writeFile(handle, source, putOptions, requireSpace);
        putOptions.signal?.throwIfAborted();
        closing = handle.close(); // Synced already: the rename need not wait for it.
        closing.catch(() => undefined); // Awaited below.
        await publish(tempPath, path, folders);
        return stored;
      } finally {
        await (closing ?? handle.close());
      }
    });
  };

  return {
    put,
    get: async (key, range) => {
      const path = pathOfKey(root, key);
      checkRange(range);
      try {
        await folders.check(dirname(path));
        return await readRange(path, range ?? { start: 0 });
      } catch (error) {
        throw isMissing(error) ? noObject(key) : diskFault(error, "read an object");
      }
    },
    head: async (key) => {
      const path = pathOfKey(root, key);
      try {
        await folders.check(dirname(path));
        const stats = await lstat(path);
        return stats.isFile() ? { bytes: stats.size } : null;
      } catch (error) {
        if (isMissing(error)) return null;
        throw diskFault(error, "look at an object");
      }
    },
    copy: async (from, to) => {
      const source = pathOfKey(root, from);
      const path = pathOfKey(root, to);
      await folders.check(dirname(source));
      const linked = await temp.use(async (tempPath) => {
        await folders.ensure(dirname(tempPath));
        if (!(await linkTo(source, tempPath, from))) return false;
        await publish(tempPath, path, folders);
        // rename(2) does nothing when both names are the same inode already, as after an earlier copy: the temporary one is left.
        await rm(tempPath, { force: true });
        return true;
      });
      if (!linked) await put(to, await readRange(source, { start: 0 }));
    },
    remove: async (keys) => {
      const paths = keys.map((key) => pathOfKey(root, key));
      for (let at = 0; at < paths.length; at += REMOVES_AT_ONCE) {
        await Promise.all(paths.slice(at, at + REMOVES_AT_ONCE).map((path) => removeFile(path, folders)));
      }
      for (const folder of new Set(paths.map((path) => dirname(path)))) await folders.prune(folder);
    },
    list: async function* (prefix) {
      const folder = folderOfPrefix(root, prefix);
      try {
        await folders.check(folder);
        yield* walk(folder, prefix.slice(0, prefix.lastIndexOf("/") + 1), prefix);
      } catch (error) {
        throw diskFault(error, "list objects");
      }
    },
    link: async (key, { expiresAtMs, fileName }) => {
      pathOfKey(root, key);
      return signLink(options.linkBase, options.linkSecret, key, expiresAtMs, fileName);
    },
    sweep: (olderThanMs) => temp.sweep(olderThanMs),
  };
}

/** Moves a finished, synced temporary file to its place, replacing what is there; resolves when that is durable. */
async function publish(tempPath: string, path: string, folders: Folders): Promise<void> {
  const folder = dirname(path);
  try {
    for (let tries = 0; ; tries++) {
      try {
        await folders.ensure(folder);
        await rename(tempPath, path);
        break;
      } catch (error) {
        // The folder was pruned meanwhile, by us or by another process: make it again.
        if (codeOf(error) !== "ENOENT" || tries === RENAME_TRIES) throw error;
        folders.forget(folder);
      }
    }
    await folders.sync(folder).catch((error: unknown) => {
      if (!isMissing(error)) throw error; // Removed again already, and its folder with it: there is nothing to make durable.
    });
    // Pruned and made again while we renamed: wait until the new folder's own entry is durable. Costs nothing otherwise.
    await folders.ensure(folder);
  } catch (error) {
    throw diskFault(error, "publish an object");
  }
}

async function openNew(path: string, folders: Folders): Promise<FileHandle> {
  try {
    return await open(path, "wx");
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    folders.forget(dirname(path));
    await folders.ensure(dirname(path));
    return open(path, "wx");
  }
}

/** A hard link; false where the file system has none. */
async function linkTo(source: string, path: string, key: string): Promise<boolean> {
  try {
    if (!(await lstat(source)).isFile()) throw noObject(key);
    await link(source, path);
    return true;
  } catch (error) {
    if (isMissing(error)) throw noObject(key);
    if (NO_LINK.has(codeOf(error) ?? "")) return false;
    throw diskFault(error, "copy an object");
  }
}

async function removeFile(path: string, folders: Folders): Promise<void> {
  try {
    await folders.check(dirname(path));
    await unlink(path);
  } catch (error) {
    if (!isMissing(error) && codeOf(error) !== "EISDIR") throw diskFault(error, "remove an object");
  }
}
