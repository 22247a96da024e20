// What `npm start` reads from its environment, and what it hands on to API and worker.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./setup.mjs";

const LOOPBACK = "127.0.0.1";

/** Throws an error that lists everything wrong with the environment. */
export function settings(env = process.env) {
  const wrong = [];
  const port = (name, otherwise) => {
    const text = env[name] || String(otherwise);
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= 65_535) return value;
    wrong.push(`${name} has to be a port from 1 to 65535, not "${text}"`);
    return otherwise;
  };
  const host = env.HOST || LOOPBACK;
  const apiPort = port("PORT", 8080);
  const workerPort = port("WORKER_PORT", apiPort === 65_535 ? 8081 : apiPort + 1);
  if (workerPort === apiPort) wrong.push(`PORT and WORKER_PORT are both ${apiPort}`);
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  return {
    host,
    port: apiPort,
    workerPort,
    url: `http://${bracketed(reachable(host))}:${apiPort}`,
    dataDir: resolve(env.SLUICE_DATA_DIR || join(root, ".sluice")),
    dataDirGiven: Boolean(env.SLUICE_DATA_DIR),
    databaseUrl: env.DATABASE_URL || null,
    // Uploads without a key are for trying things out on one's own machine only.
    opensUploads: host === LOOPBACK && !env.SLUICE_OPEN_UPLOADS,
  };
}

/** The data folder, as an ordinary user closed to others; as root passable, because PostgreSQL runs as another user inside. */
export function makeDataDir(dataDir) {
  mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  for (const folder of ["objects", "logs"]) mkdirSync(join(dataDir, folder), { recursive: true, mode: 0o700 });
}

/** The key from the environment, else the one kept in the data folder, made at the first start. */
export function apiKey(dataDir, env = process.env) {
  if (env.SLUICE_API_KEY) return { key: env.SLUICE_API_KEY, file: null };
  const file = join(dataDir, "api-key");
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(30).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  return { key: readFileSync(file, "utf8").trim(), file };
}

/** The environment of API and worker: all that was inherited, completed. */
export function childEnvironment(config, { databaseUrl, key }, env = process.env) {
  return {
    ...env,
    HOST: config.host,
    PORT: String(config.port),
    WORKER_PORT: String(config.workerPort),
    DATABASE_URL: databaseUrl,
    STORAGE_URL: env.STORAGE_URL || pathToFileURL(join(config.dataDir, "objects")).href,
    SLUICE_API_KEY: key,
    LOG_LEVEL: env.LOG_LEVEL || "info",
    ...(config.opensUploads ? { SLUICE_OPEN_UPLOADS: "true" } : {}),
  };
}

/** Where a server that listens on `host` can be asked from here. */
function reachable(host) {
  if (host === "0.0.0.0") return LOOPBACK;
  return host === "::" ? "::1" : host;
}

function bracketed(host) {
  return host.includes(":") ? `[${host}]` : host;
}
