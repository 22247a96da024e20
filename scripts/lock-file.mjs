// A lock that dies with its holder: a file that names the process holding it.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identityOf, isAlive } from "./process-identity.mjs";

let serial = 0;

/**
 * Takes the lock, or tells who holds it: `{ release }` or `{ holder }`.
 * `facts` are kept in the file for whoever is refused.
 */
export function tryLock(path, facts = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${path}.${process.pid}.${serial++}`;
  const text = JSON.stringify({ ...identityOf(process.pid), ...facts });
  // Made whole under another name and linked: nobody ever reads half a lock.
  writeFileSync(mine, text, { mode: 0o644 });
  try {
    for (;;) {
      try {
        linkSync(mine, path);
        return { release: () => releaseIfStill(path, text) };
      } catch (error) {
        if (error.code !== "EEXIST") throw error;
      }
      const found = read(path);
      if (found === null) continue;
      if (found.holder !== null && isAlive(found.holder)) return { holder: found.holder };
      takeAway(path, found.text);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** As tryLock, but waits for the holder; `onWait(holder)` is called once if there is one. */
export async function lock(path, onWait, signal) {
  let told = false;
  for (;;) {
    const got = tryLock(path);
    if (got.release) return got;
    if (!told) onWait(got.holder);
    told = true;
    await sleep(200, undefined, { signal });
  }
}

function read(path) {
  let text;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
  try {
    return { text, holder: JSON.parse(text) };
  } catch {
    return { text, holder: null };
  }
}

/** Two may find the same dead holder: the slower one must not take away the lock of the faster. */
function takeAway(path, text) {
  const aside = `${path}.dead.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  try {
    if (readFileSync(aside, "utf8") !== text) linkSync(aside, path);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function releaseIfStill(path, text) {
  if (read(path)?.text === text) rmSync(path, { force: true });
}
