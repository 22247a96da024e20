// Processes on a leash end when the one that started them is gone, however it went: a small process holds the
// other end of a pipe and ends them when the pipe closes. `kill -9` of a supervisor thus leaves nothing behind for long.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("leash-main.mjs", import.meta.url));

/**
 * `add(entry)` and `drop(pid)` keep the list (entries as in ending.mjs), `addFolder(path)` names a temporary folder
 * to remove after all have ended; `close()` lets go without ending anything.
 */
export function openLeash() {
  const entries = new Map();
  const folders = new Set();
  let holder = null;
  let closed = false;

  const tell = (message) => holder?.stdin.write(`${JSON.stringify(message)}\n`);
  const hold = () => {
    // Its own session: neither Ctrl-C nor a kill of the whole process group may reach it.
    holder = spawn(process.execPath, [main], { cwd: "/", detached: true, stdio: ["pipe", "ignore", "ignore"], env: {} });
    holder.stdin.on("error", () => {});
    holder.on("error", () => {});
    holder.on("exit", () => {
      holder = null;
      if (!closed) setTimeout(hold, 200).unref();
    });
    holder.unref();
    holder.stdin.unref?.();
    for (const entry of entries.values()) tell({ add: entry });
    for (const folder of folders) tell({ folder });
  };
  hold();

  return {
    add(entry) {
      entries.set(entry.pid, entry);
      tell({ add: entry });
    },
    drop(pid) {
      entries.delete(pid);
      tell({ drop: pid });
    },
    addFolder(folder) {
      folders.add(folder);
      tell({ folder });
    },
    close() {
      closed = true;
      tell({ letGo: true });
      holder?.stdin.end();
    },
  };
}
