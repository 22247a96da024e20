// npm run demo: sends the files of examples/ through a full and an incremental sync and prints the rows back.
// Uses the service that runs at SLUICE_URL (default: where `npm start` listens); starts one of its own when none answers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.mjs";
import { runOnNode } from "./on-node.mjs";
import { settings } from "./settings.mjs";
import { root, setUp } from "./setup.mjs";

if (process.argv.includes("--help")) {
  console.log("npm run demo: sends examples/ through a full and an incremental sync and prints the rows back.");
  console.log("SLUICE_URL and SLUICE_API_KEY name a running service; without them it finds `npm start`, or starts its own for the time.");
  process.exit(0);
}

try {
  await setUp({ say: console.error });
  const service = await findService();
  try {
    const env = { ...process.env, SLUICE_URL: service.url, SLUICE_API_KEY: service.key };
    process.exitCode = await runOnNode(join(root, "examples", "demo.mjs"), [], { env });
  } finally {
    await service.stop();
  }
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
}

async function findService() {
  const config = settings();
  const url = process.env.SLUICE_URL || config.url;
  const keyFile = join(config.dataDir, "api-key");
  const key = process.env.SLUICE_API_KEY || (existsSync(keyFile) ? readFileSync(keyFile, "utf8").trim() : "");
  if (await isReady(url)) {
    if (key === "") throw new Error(`a service answers at ${url}, but its key is not known: set SLUICE_API_KEY`);
    return { url, key, stop: async () => {} };
  }
  if (process.env.SLUICE_URL) throw new Error(`no service answers at ${url}`);
  return startOwn();
}

async function isReady(url) {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

/** A service of our own in a temporary folder, stopped and removed at the end. */
async function startOwn() {
  const data = mkdtempSync(join(tmpdir(), "sluice-demo-"));
  // As root, PostgreSQL runs as another user inside.
  chmodSync(data, 0o711);
  const [port, workerPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  console.log(`No service answers; starting one at ${url} for this demo …`);
  const env = { ...process.env, HOST: "127.0.0.1", PORT: String(port), WORKER_PORT: String(workerPort), SLUICE_DATA_DIR: data };
  const child = spawn(process.execPath, [join(root, "scripts", "start.mjs")], { env, stdio: ["ignore", "ignore", "inherit"] });
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(data, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stop().then(() => process.exit(130)));
  const until = Date.now() + 120_000;
  while (!(await isReady(url)) || !(await isReady(`http://127.0.0.1:${workerPort}`))) {
    if (child.exitCode !== null) throw new Error("the service could not be started; its last words are above");
    if (Date.now() > until) throw new Error("the service was not ready within two minutes");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { url, key: readFileSync(join(data, "api-key"), "utf8").trim(), stop };
}
