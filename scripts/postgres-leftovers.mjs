// Servers and server processes which a dead supervisor, or a killed server, left on a data folder.
// Only for the holder of the folder's lock: that its former owner is dead is known by then.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { endAll, entryFor, postgresPlan } from "./ending.mjs";
import { identityOf } from "./process-identity.mjs";

/** After a postmaster's death its processes notice at their next wait; a long query only when it is done. */
const orphanPlan = [
  [0, "SIGQUIT"],
  [1_000, "SIGKILL"],
];

/** Ends whatever still runs on `data`, so that a new server finds no shared memory in use, and removes a stale pid file. */
export async function endLeftovers(data, say) {
  const folder = realFolder(data);
  if (folder === null) return;
  const pidFile = join(folder, "postmaster.pid");
  const [line] = readIfThere(pidFile).split("\n");
  const postmaster = identityOf(Number(line));

  if (postmaster !== null && worksIn(postmaster.pid, folder)) {
    say(`Stopping the PostgreSQL server (process ${postmaster.pid}) that an earlier run left behind …`);
    await endAll([entryFor("postgres", postmaster, postgresPlan, { last: true })]);
  }
  const orphans = processesIn(folder).map((identity) => entryFor("postgres backend", identity, orphanPlan));
  const left = await endAll(orphans);
  if (left.length > 0) throw new Error(`PostgreSQL processes on ${data} do not end: ${left.map((entry) => entry.pid).join(", ")}`);
  // Its pid may meanwhile be another process', and PostgreSQL then refuses to start.
  rmSync(pidFile, { force: true });
}

function realFolder(data) {
  try {
    return realpathSync(data);
  } catch {
    return null;
  }
}

/** Whether it is a process of the server on this folder: all of them have it as their working directory. */
function worksIn(pid, folder) {
  if (process.platform === "linux") {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder && readIfThere(`/proc/${pid}/comm`).trim() === "postgres";
    } catch {
      return false;
    }
  }
  const { stdout } = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.includes("postgres") && stdout.includes(folder);
}

function processesIn(folder) {
  if (process.platform !== "linux") return []; // PostgreSQL itself refuses to start until they are gone; we try again
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => worksIn(pid, folder))
    .map(identityOf)
    .filter((identity) => identity !== null);
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
