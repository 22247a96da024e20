// A pid alone says little: it is used again after a while, and at once after a reboot or in a container.
// A process is therefore named by its pid and the moment it started.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** @typedef {{ pid: number, startTime: string }} Identity */

const bootId = (() => {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
  } catch {
    return "";
  }
})();

/** When the process started, as an opaque string; null if it is not there. A zombie is not there: it holds nothing any more. */
export function startTimeOf(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return process.platform === "linux" ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return null;
  }
  // proc(5): the second field is the name in brackets and may hold blanks and brackets; state is field 3, start time 22.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return null;
  return `${bootId}-${fields[19]}`;
}

function fromPs(pid) {
  const { status, stdout } = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" });
  if (status !== 0) return null;
  const [state, ...started] = stdout.trim().split(/\s+/);
  return state === undefined || state.startsWith("Z") ? null : started.join(" ");
}

/** Pid and start time of a process, or null if it is not there. */
export function identityOf(pid) {
  const startTime = startTimeOf(pid);
  return startTime === null ? null : { pid, startTime };
}

/** Whether this very process still runs. */
export function isAlive(identity) {
  return startTimeOf(identity.pid) === identity.startTime;
}

/** Waits until none of the processes is there any more; false if `ms` passed first. */
export async function waitGone(identities, ms) {
  const until = Date.now() + ms;
  while (identities.some(isAlive)) {
    if (Date.now() >= until) return false;
    await sleep(30);
  }
  return true;
}
