// The real parts that tests run against: PostgreSQL, Redis, an S3 server. Each is started on a free loopback port with
// its data in a temporary folder, stopped by its own pid, and ends as well if this process is killed.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endAll, entryFor } from "./ending.mjs";
import { openLeash } from "./leash.mjs";
import { preparePostgres } from "./postgres.mjs";
import { temporaryPlace } from "./postgres-place.mjs";
import { identityOf } from "./process-identity.mjs";
import { startRedis } from "./test-redis.mjs";
import { startS3 } from "./test-s3.mjs";

const LISTENS_WITHIN = 20_000;
const quickly = [
  [0, "SIGTERM"],
  [3_000, "SIGKILL"],
];

/**
 * Starts them all side by side. `env` is what tests find them by; `missing` says, one line each, what could not be
 * brought up. `stop()` ends and removes everything.
 * @param {{ say?: (line: string) => void }} options
 */
export async function startTestServices({ say = console.error } = {}) {
  const stage = openStage();
  const starters = { PostgreSQL: () => startPostgres(stage, say), Redis: () => startRedis(stage, say), S3: () => startS3(stage, say) };
  const outcomes = await Promise.allSettled(Object.values(starters).map((start) => start()));
  const missing = Object.keys(starters).flatMap((name, i) =>
    outcomes[i].status === "rejected" ? [`${name}: ${outcomes[i].reason.message}`] : [],
  );
  const env = Object.assign({}, ...outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : {})));
  return { env, missing, stop: stage.close };
}

/** What a starter works with: temporary folders and processes that are cleaned up in one place. */
function openStage() {
  const leash = openLeash();
  const entries = new Map();
  const folders = [];
  const add = (entry) => {
    entries.set(entry.pid, entry);
    leash.add(entry);
  };
  return {
    add,
    folder(name, parent = tmpdir()) {
      const path = mkdtempSync(join(parent, `sluice-${name}-`));
      folders.push(path);
      leash.addFolder(path);
      return path;
    },
    /** Starts a server and resolves when it accepts connections on the port; rejects with what it said when it ends before. */
    async serve(name, command, args, { port, env, cwd = "/" }) {
      const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said = (said + chunk).slice(-4_000)));
      let ended = "";
      child.on("error", (error) => (ended = error.message));
      child.on("exit", (code, signal) => (ended ||= `it ended (${signal ?? code}):\n${said.trim()}`));
      const identity = identityOf(child.pid ?? 0);
      if (identity !== null) add(entryFor(name, identity, quickly));
      const until = Date.now() + LISTENS_WITHIN;
      while (!(await accepts(port))) {
        if (ended !== "") throw new Error(`${name} does not start: ${ended}`);
        if (Date.now() > until) throw new Error(`${name} does not listen on port ${port}:\n${said.trim()}`);
        await sleep(30);
      }
      child.unref();
      for (const stream of [child.stdout, child.stderr]) stream.unref();
    },
    close: async () => {
      await endAll([...entries.values()]);
      leash.close();
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (value) => {
      socket.destroy();
      resolve(value);
    };
    socket.on("connect", () => answer(true));
    socket.on("error", () => answer(false));
  });
}

async function startPostgres(stage, say) {
  // A private TMPDIR may be closed to the user that PostgreSQL runs as; the system's own are open to all.
  const parents = [...new Set([tmpdir(), "/tmp", "/var/tmp"])];
  const place = temporaryPlace(
    parents.map((parent) => stage.folder("postgres", parent)),
    say,
  );
  const server = await preparePostgres(place, { fsync: false, maxConnections: 300 });
  for (let tries = 1; ; tries++) {
    const running = await server.launch();
    stage.add({ ...running.entry, last: true });
    try {
      await Promise.race([running.ready, running.exited.then(({ tail }) => Promise.reject(new Error(tail.join("\n"))))]);
      return { TEST_DATABASE_URL: server.url("postgres") };
    } catch (error) {
      // Somebody else may have taken the port between the look and the start.
      if (tries === 3) throw error;
    }
  }
}
