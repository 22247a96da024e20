import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");

/** A service run by `npm start`'s own supervisor in a folder of its own. */
export interface Supervised extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly supervisor: ChildProcess;
  key(): Promise<string>;
  /** All it printed so far. */
  said(): string;
}

const READY_MS = 60_000;

/** Starts it and waits until API and worker are ready. `dataDir` may be one that an earlier run left. */
export async function supervised(
  options: { readonly dataDir?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Supervised> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "sluice-supervised-")));
  // As root, PostgreSQL runs as another user inside.
  await chmod(dataDir, 0o711);
  const [port, workerPort] = await freePorts();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [join(ROOT, "scripts", "start.mjs")], {
    env: { ...process.env, ...options.env, PORT: String(port), WORKER_PORT: String(workerPort), SLUICE_DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  const until = performance.now() + READY_MS;
  while (!((await isReady(url)) && (await isReady(`http://127.0.0.1:${workerPort}`)))) {
    if (child.exitCode !== null || performance.now() > until) {
      await stop();
      throw new Error(`the service did not start:\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    port,
    dataDir,
    supervisor: child,
    said: () => said,
    key: async () => (await readFile(join(dataDir, "api-key"), "utf8")).trim(),
    [Symbol.asyncDispose]: stop,
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) server.close();
  return [ports[0] ?? 0, ports[1] ?? 0];
}
