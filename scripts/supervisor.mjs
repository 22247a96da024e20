// Owns PostgreSQL, API and worker: starts them in order, keeps them running, ends them in order.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterThePipe, endAll, entryFor, postgresPlan } from "./ending.mjs";
import { whyNotFree } from "./free-port.mjs";
import { keep } from "./keeper.mjs";
import { openLeash } from "./leash.mjs";
import { tryLock } from "./lock-file.mjs";
import { logFile, readable, throttled } from "./logs.mjs";
import { startService } from "./node-service.mjs";
import { preparePostgres } from "./postgres.mjs";
import { placeFor } from "./postgres-place.mjs";
import { identityOf, isAlive } from "./process-identity.mjs";
import { root, setUp } from "./setup.mjs";
import { apiKey, childEnvironment, makeDataDir } from "./settings.mjs";

/**
 * Runs until `signal` is aborted; then resolves when everything is stopped. Rejects, with everything stopped, if it
 * cannot start. `hurry.now`, set later, makes the stop a quick one. `announce` is called once when all are ready.
 */
export async function supervise(config, { say, announce, signal, hurry }) {
  makeDataDir(config.dataDir);
  const held = tryLock(join(config.dataDir, "supervisor.lock"), { url: config.url });
  if (!held.release) {
    const { pid, url } = held.holder;
    throw new Error(
      `Sluice is already running on ${config.dataDir}: ${url} (process ${pid}). Stop that one first, or give this one another SLUICE_DATA_DIR and PORT.`,
    );
  }
  const roster = openRoster(config.dataDir);
  const keepers = [];
  let postgres = null;
  try {
    await outliveFormerRun(roster.former, say);
    await checkPorts(config);
    await setUp({ say, signal });
    signal.throwIfAborted();

    if (config.databaseUrl === null) {
      say("Starting PostgreSQL …");
      postgres = await keepPostgres(config, roster, say);
      await until(postgres.keeper.firstReady, signal);
    } else {
      say("Using the database that DATABASE_URL names.");
    }
    say("Starting API and worker …");
    const { key, file } = apiKey(config.dataDir);
    const databaseUrl = config.databaseUrl ?? postgres.url();
    // For `npm run admin`, which works on the records of the service that runs here.
    writeFileSync(join(config.dataDir, "database-url"), `${databaseUrl}\n`, { mode: 0o600 });
    const env = childEnvironment(config, { databaseUrl, key });
    keepers.push(...keepServices(config, env, roster, postgres, say));
    await until(Promise.all(keepers.map((keeper) => keeper.firstReady)), signal);
    announce({ keyFile: file });
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if (roster.entries().length > 0) say("Stopping …");
    await Promise.all(keepers.map((keeper) => keeper.stop()));
    // Work in hand still needs the database; it goes last.
    await endAll(
      roster.entries().filter((entry) => !entry.last),
      hurry,
    );
    await postgres?.keeper.stop();
    const left = await endAll(roster.entries(), hurry);
    for (const entry of left) say(`${entry.name} (process ${entry.pid}) does not end.`);
    postgres?.release();
    roster.close();
    held.release();
  }
}

/** Settles as the promise does, or rejects when the signal is aborted first. */
function until(promise, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

/** Who runs now: on the leash for our sudden death, in supervisor.json for the next start and for whoever looks. */
function openRoster(dataDir) {
  const file = join(dataDir, "supervisor.json");
  const former = readRoster(file);
  const leash = openLeash();
  const entries = new Map();
  const write = () => {
    const children = Object.fromEntries([...entries.values()].map(({ name, pid, startTime }) => [name, { pid, startTime }]));
    writeFileSync(`${file}.new`, JSON.stringify({ ...identityOf(process.pid), children }, null, 2));
    renameSync(`${file}.new`, file);
  };
  return {
    former,
    entries: () => [...entries.values()],
    add(running) {
      entries.set(running.entry.name, running.entry);
      leash.add(running.leashed ?? running.entry);
      write();
    },
    drop(running) {
      if (entries.get(running.entry.name) === running.entry) entries.delete(running.entry.name);
      leash.drop(running.pid);
      write();
    },
    close() {
      leash.close();
      rmSync(file, { force: true });
    },
  };
}

function readRoster(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).children;
  } catch {
    return {};
  }
}

/** The children of a supervisor that was killed are ending by themselves, or their leash ends them; here for the case that both failed. */
async function outliveFormerRun(children, say) {
  const entries = Object.entries(children).map(([name, identity]) =>
    name === "postgres"
      ? entryFor(name, identity, postgresPlan, { last: true })
      : entryFor(name, identity, afterThePipe, { group: "last" }),
  );
  const left = entries.filter(isAlive);
  if (left.length === 0) return;
  say(`Waiting for what an earlier run left behind to end: ${left.map(({ name, pid }) => `${name} (process ${pid})`).join(", ")} …`);
  const stubborn = await endAll(left);
  if (stubborn.length > 0)
    throw new Error(`${stubborn.map((entry) => `${entry.name} (process ${entry.pid})`).join(", ")} of an earlier run will not end`);
}

async function checkPorts(config) {
  const wanted = [
    { name: "PORT", host: config.host, port: config.port },
    { name: "WORKER_PORT", host: "127.0.0.1", port: config.workerPort },
  ];
  for (const { name, host, port } of wanted) {
    const why = await whyNotFree(port, host);
    if (why === null) continue;
    if (why === "EADDRINUSE")
      throw new Error(`Port ${port} is in use by another program. Choose another one, for example: ${name}=${port + 100} npm start`);
    if (why === "EACCES")
      throw new Error(`Port ${port} needs more rights than this user has. Choose one above 1023: ${name}=8080 npm start`);
    throw new Error(`Cannot listen on ${host}, port ${port} (${why}). Check HOST and ${name}.`);
  }
}

async function keepPostgres(config, roster, say) {
  const log = logFile(join(config.dataDir, "logs", "postgres.log"));
  const place = placeFor(config.dataDir, config.dataDirGiven, say);
  const onLine = (line) => {
    log(line);
    if (line.includes("PANIC:")) say(`postgres: ${line}`);
  };
  const server = await preparePostgres(place, { onLine, say });
  const keeper = keep({ name: "postgres", launch: server.launch, onStart: roster.add, onDeath: roster.drop, say });
  return { keeper, url: () => server.url(), release: () => server.release() };
}

function keepServices(config, env, roster, postgres, say) {
  const print = throttled(say);
  const services = [
    { name: "api", readyUrl: `${config.url}/readyz` },
    { name: "worker", readyUrl: `http://127.0.0.1:${config.workerPort}/readyz` },
  ];
  return services.map(({ name, readyUrl }) => {
    const log = logFile(join(config.dataDir, "logs", `${name}.log`));
    const onLine = (line, fromStderr) => {
      log(line);
      const shown = readable(name, line, fromStderr);
      if (shown !== null) print(shown);
    };
    const main = join(root, "apps", name, "src", "main.ts");
    return keep({
      name,
      launch: async () => startService({ name, main, env, readyUrl, onLine }),
      onStart: roster.add,
      onDeath: roster.drop,
      // While the database is down a start that fails says nothing about the service.
      counts: () => postgres === null || postgres.keeper.isReady(),
      say,
    });
  });
}
