import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { undoing } from "./cleanup.ts";
import { cpuSeconds, environmentOf } from "./proc.ts";

const root = join(import.meta.dirname, "..");
const READY_WITHIN_MS = 120_000;

/** The whole service, run by `npm start`'s supervisor: API, one worker and PostgreSQL, with fsync. */
export interface Service extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly dataDir: string;
  readonly databaseUrl: string;
  pid(name: "api" | "worker"): number;
  /** CPU-seconds so far. */
  cpu(): Cpu;
  /** One more worker process beside the supervisor's. */
  addWorker(): Promise<void>;
}

/** CPU-seconds by what used them; `children` are the workers' sandboxes. */
export interface Cpu {
  readonly api: number;
  readonly workers: number;
  readonly children: number;
  readonly postgres: number;
}

export function cpuSince(before: Cpu, now: Cpu): Cpu & { readonly total: number } {
  const [api, workers, children, postgres] = (["api", "workers", "children", "postgres"] as const).map((name) => now[name] - before[name]);
  const each = { api: api ?? 0, workers: workers ?? 0, children: children ?? 0, postgres: postgres ?? 0 };
  return { ...each, total: each.api + each.workers + each.children + each.postgres };
}

/** Milliseconds of each for one of so many files, to read. */
export function cpuText(spent: Cpu & { readonly total: number }, files: number): string {
  const ms = (seconds: number) => ((seconds * 1_000) / files).toFixed(1);
  const { api, workers, children, postgres, total } = spent;
  return `CPU ${ms(total)} ms a file: API ${ms(api)}, worker ${ms(workers)}, children ${ms(children)}, PostgreSQL ${ms(postgres)}`;
}

/** Starts one in a temporary folder; disposing it stops it and takes the folder away. */
export async function startService(options: { readonly redisUrl?: string; readonly env?: NodeJS.ProcessEnv } = {}): Promise<Service> {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  // PostgreSQL runs as another user when we are root, and has to get through.
  chmodSync(dataDir, 0o711);
  const [port, workerPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [join(root, "scripts", "start.mjs")], {
    cwd: root,
    env: {
      ...ownEnvironment(),
      HOST: "127.0.0.1",
      PORT: String(port),
      WORKER_PORT: String(workerPort),
      SLUICE_DATA_DIR: dataDir,
      // Only so does the supervisor stop when its parent is gone, however it went.
      npm_lifecycle_event: "bench",
      ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
      ...options.env,
    },
    // Ctrl-C is for us; we stop it.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-4_000)));
  const workers: ChildProcess[] = [];
  const stopped = undoing(async () => {
    await Promise.all(workers.map(stop));
    await stop(child);
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });
  try {
    const ended = () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the service did not start:\n${said}`);
    };
    await untilReady(url, ended);
    await untilReady(`http://127.0.0.1:${workerPort}`, ended);
  } catch (error) {
    await stopped[Symbol.asyncDispose]();
    throw error;
  }
  const pids = () => supervised(dataDir);
  const worker = environmentOf(pids().worker);
  return {
    url,
    dataDir,
    key: readFileSync(join(dataDir, "api-key"), "utf8").trim(),
    databaseUrl: worker["DATABASE_URL"] ?? "",
    pid: (name) => pids()[name],
    cpu: () => {
      const { api, worker: first, postgres } = pids();
      const working = cpuSeconds([first, ...workers.map((added) => added.pid ?? 0)]);
      const records = cpuSeconds([postgres]);
      return { api: cpuSeconds([api]).own, workers: working.own, children: working.below, postgres: records.own + records.below };
    },
    addWorker: async () => {
      const port = await freePort();
      const added = startWorker(worker, port);
      workers.push(added);
      await untilReady(`http://127.0.0.1:${port}`, () => {
        if (added.exitCode !== null) throw new Error("a worker did not start");
      });
    },
    [Symbol.asyncDispose]: () => stopped[Symbol.asyncDispose](),
  };
}

/** What the supervisor says it runs. */
function supervised(dataDir: string): { readonly api: number; readonly worker: number; readonly postgres: number } {
  const { children } = JSON.parse(readFileSync(join(dataDir, "supervisor.json"), "utf8")) as {
    children: Record<string, { pid: number } | undefined>;
  };
  const pid = (name: string) => {
    const found = children[name]?.pid;
    if (found === undefined) throw new Error(`the supervisor runs no ${name}`);
    return found;
  };
  return { api: pid("api"), worker: pid("worker"), postgres: pid("postgres") };
}

/** A worker with the environment of the supervisor's own one. Ends when our end of its pipe closes, at the latest with us. */
function startWorker(environment: Record<string, string>, port: number): ChildProcess {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(root, "apps", "worker", "src", "main.ts")], {
    cwd: root,
    env: { ...environment, WORKER_PORT: String(port), SLUICE_PARENT_FD: "3" },
    detached: true,
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
}

/** SIGTERM, and SIGKILL when that was not enough in a while; by its own pid. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await gone;
  clearTimeout(hard);
}

/** Ours without what would point the service elsewhere or change how it runs. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(SLUICE_|LOG_LEVEL$|DATABASE_URL$|REDIS_URL$|STORAGE_URL$|HOST$|PORT$|WORKER_PORT$|NODE_OPTIONS$)/;
  const kept = Object.entries(process.env).filter(([name]) => !ours.test(name) || name === "SLUICE_BENCH_NODE_OPTIONS");
  const { SLUICE_BENCH_NODE_OPTIONS: options, ...rest } = Object.fromEntries(kept);
  // For profiling: SLUICE_BENCH_NODE_OPTIONS="--cpu-prof --cpu-prof-dir=/tmp/prof" npm run bench -- --only …
  return options === undefined ? rest : { ...rest, NODE_OPTIONS: options };
}

async function untilReady(url: string, check: () => void): Promise<void> {
  for (const until = Date.now() + READY_WITHIN_MS; ; await sleep(50)) {
    check();
    if (await isReady(url)) return;
    if (Date.now() > until) throw new Error(`${url} was not ready within two minutes`);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

/** From outside of Linux' range for outgoing connections; see scripts/free-port.mjs. */
export async function freePort(): Promise<number> {
  const { freePort: find } = (await import(new URL("../scripts/free-port.mjs", import.meta.url).href)) as {
    freePort: () => Promise<number>;
  };
  return find();
}
