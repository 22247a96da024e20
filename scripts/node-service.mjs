// One process of the service on Node 24, and how it is known to be ready.
import { spawn } from "node:child_process";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterThePipe, entryFor, gracefully } from "./ending.mjs";
import { splitLines } from "./logs.mjs";
import { commandLine } from "./on-node.mjs";
import { identityOf } from "./process-identity.mjs";
import { root } from "./setup.mjs";

/** The file descriptor on which a child reads its supervisor's end: the pipe closes when the supervisor is gone, however it went. */
const PARENT_FD = 3;
const TAIL = 20;

/**
 * Starts `main` and hands every line it writes to `onLine(line, fromStderr)`.
 * The result is as keeper.mjs wants it, with `entry` (for our own shutdown) and `leashed` (for the leash) as in ending.mjs.
 */
export function startService({ name, main, env, readyUrl, onLine }) {
  const { file, args } = commandLine(main);
  const child = spawn(file, args, {
    cwd: root,
    env: { ...env, SLUICE_PARENT_FD: String(PARENT_FD) },
    // Its own process group: Ctrl-C in a terminal is for the supervisor, which ends its children in order.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const tail = [];
  const hear = (fromStderr) => (line) => {
    tail.push(line);
    if (tail.length > TAIL) tail.shift();
    onLine(line, fromStderr);
  };
  splitLines(child.stdout, hear(false));
  splitLines(child.stderr, hear(true));
  child.stdio[PARENT_FD].on("error", () => {});

  const exited = new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: null, signal: null, tail: [error.message] }));
    // 'close' would wait for grandchildren that hold the pipes; a moment is enough for the last lines.
    child.on("exit", (code, signal) => setTimeout(resolve, 50, { code, signal, tail }));
  });
  const identity = identityOf(child.pid ?? 0) ?? { pid: child.pid ?? 0, startTime: "gone" };
  return {
    ...identity,
    entry: entryFor(name, identity, gracefully, { group: "last" }),
    leashed: entryFor(name, identity, afterThePipe, { group: "last" }),
    ready: untilReady(readyUrl, child),
    exited,
  };
}

async function untilReady(url, child) {
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    if ((await statusOf(url)) === 200) return;
    await sleep(100, undefined, { ref: false });
  }
  return new Promise(() => {});
}

function statusOf(url) {
  return new Promise((resolve) => {
    const asked = request(url, { timeout: 2_000, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(null));
    asked.end();
  });
}
