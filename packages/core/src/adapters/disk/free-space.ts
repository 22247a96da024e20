import { statfs } from "node:fs/promises";
import { Fault } from "../../domain/fault.ts";

const FRESH_MS = 1_000;

/** Refuses with `disk_full` when fewer than `minFreeBytes` would be free after writing the bytes given. */
export type RequireSpace = (bytes: number) => Promise<void>;

/** The floor under the folder's file system. One statfs a second, however many puts run. */
export function spaceFloor(folder: string, minFreeBytes: number): RequireSpace {
  let measured: { readonly at: number; readonly free: Promise<number> } | null = null;

  const free = (): Promise<number> => {
    const now = performance.now();
    if (measured === null || now - measured.at > FRESH_MS) {
      const result = statfs(folder).then((stats) => stats.bavail * stats.bsize);
      result.catch(() => (measured = null));
      measured = { at: now, free: result };
    }
    return measured.free;
  };

  return async (bytes) => {
    if (minFreeBytes <= 0) return;
    const left = await free();
    if (left - bytes >= minFreeBytes) return;
    throw new Fault("disk_full", `${left} bytes are free, ${bytes} more would go below the floor of ${minFreeBytes}`, {
      value: left,
      limit: minFreeBytes,
    });
  };
}
