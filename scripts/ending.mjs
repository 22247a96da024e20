// How processes are ended: asked first, made to later, and those that others still need last.
// The supervisor, its leash and the next start after a crash all do it by this one list.
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "./process-identity.mjs";

/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {number} pid
 * @property {string} startTime
 * @property {[number, NodeJS.Signals][]} plan   milliseconds after the beginning, signal
 * @property {"none" | "last" | "all"} group   which signals go to the whole process group
 * @property {boolean} last    ended only when all others are gone
 */

/** API and worker: 10 s is their own grace for work in hand, 2 s more for the rest. */
export const gracefully = [
  [0, "SIGTERM"],
  [12_000, "SIGKILL"],
];

/** After their supervisor's death the closed pipe has asked them already. */
export const afterThePipe = [
  [3_000, "SIGTERM"],
  [13_000, "SIGKILL"],
];

/** PostgreSQL: SIGINT is its "fast" stop (roll back, checkpoint), SIGQUIT "immediate" (recovers at the next start). */
export const postgresPlan = [
  [0, "SIGINT"],
  [20_000, "SIGQUIT"],
  [25_000, "SIGKILL"],
];

const AFTER_LAST_SIGNAL = 5_000;

/** An entry for endAll. */
export function entryFor(name, { pid, startTime }, plan, { group = "none", last = false } = {}) {
  return { name, pid, startTime, plan, group, last };
}

/**
 * Ends all of them and waits; resolves to those that would not go.
 * `hurry.now` set meanwhile goes to the last step of each plan at once (for PostgreSQL: to the last but one).
 * @param {Entry[]} entries
 */
export async function endAll(entries, hurry = { now: false }) {
  const ended = async (some) => Promise.all(some.map((entry) => endOne(entry, hurry)));
  await ended(entries.filter((entry) => !entry.last));
  await ended(entries.filter((entry) => entry.last));
  return entries.filter(isAlive);
}

async function endOne(entry, hurry) {
  const began = Date.now();
  const { plan } = entry;
  let next = 0;
  let lastSignal = began;
  while (isAlive(entry)) {
    if (hurry.now) next = Math.max(next, plan.length - (entry.last ? 2 : 1));
    const due = next < plan.length && (hurry.now || Date.now() - began >= plan[next][0]);
    if (due) {
      send(entry, plan[next][1], next === plan.length - 1);
      next = hurry.now && next === plan.length - 2 ? plan.length : next + 1;
      lastSignal = Date.now();
    } else if (next >= plan.length && Date.now() - lastSignal > AFTER_LAST_SIGNAL) {
      return;
    }
    await sleep(25);
  }
}

function send(entry, signal, isLast) {
  const toGroup = entry.group === "all" || (entry.group === "last" && isLast);
  try {
    process.kill(toGroup ? -entry.pid : entry.pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
