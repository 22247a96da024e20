// A real Redis for the tests: the machine's own, or installed from its package manager.
import { spawn, spawnSync } from "node:child_process";
import { freePort } from "./free-port.mjs";

export async function startRedis(stage, say) {
  const binary = await findOrInstall(say);
  const port = await freePort();
  const folder = stage.folder("redis");
  await stage.serve(
    "redis-server",
    binary,
    // Nothing kept, nothing evicted: what the queue needs, and what production is told to set.
    [
      "--port",
      port,
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--appendonly",
      "no",
      "--maxmemory-policy",
      "noeviction",
      "--dir",
      folder,
      "--daemonize",
      "no",
    ].map(String),
    { port, env: { PATH: process.env.PATH } },
  );
  return { TEST_REDIS_URL: `redis://127.0.0.1:${port}` };
}

async function findOrInstall(say) {
  if (has("redis-server")) return "redis-server";
  if (has("apt-get") && process.getuid?.() === 0) {
    say("Installing redis-server (apt-get) for the tests …");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-qq"], env);
    await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "redis-server"], env);
    if (has("redis-server")) return "redis-server";
  }
  if (has("brew")) {
    say("Installing redis (brew) for the tests …");
    await run("brew", ["install", "redis"], process.env);
    if (has("redis-server")) return "redis-server";
  }
  throw new Error("there is no redis-server here; install it (apt-get install redis-server), or run the tests once as root on Debian");
}

/** Whether the command is on the PATH. */
export function has(command) {
  return spawnSync("sh", ["-c", 'command -v "$1"', "sh", command], { stdio: "ignore" }).status === 0;
}

/** Runs it to its end, without blocking, and rejects with what it said if it fails. */
export function run(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said = (said + chunk).slice(-4_000)));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ${args.join(" ")} failed:\n${said.trim()}`))));
  });
}
