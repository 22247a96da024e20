import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

/** True where a Redis server can be started. */
export const HAS_REDIS = spawnSync("sh", ["-c", "command -v redis-server"], { stdio: "ignore" }).status === 0;

/** A Redis server of one test's own, so that it may be flushed, filled, stopped and started again. It keeps nothing. */
export interface OwnRedis extends AsyncDisposable {
  readonly url: string;
  readonly client: Redis;
  /** Ends the server as `kill -9` does. */
  stop(): Promise<void>;
  /** Starts it again, empty, at the same address. */
  start(): Promise<void>;
}

/** The shell ends the server when its own input ends: when this process is gone, however it went. */
const LEASHED = 'redis-server "$@" >/dev/null & pid=$!; cat >/dev/null; kill -9 $pid; wait $pid';

export async function ownRedis(options: readonly string[] = []): Promise<OwnRedis> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--maxmemory-policy",
    "noeviction",
    ...options,
  ];
  let shell: ChildProcess | null = null;
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on("error", () => undefined);
  const redis: OwnRedis = {
    url,
    client,
    start: async () => {
      shell = spawn("sh", ["-c", LEASHED, "sh", ...args], { cwd: "/tmp", stdio: ["pipe", "ignore", "ignore"] });
      // Its first try may come too early; that is for the retries.
      if (client.status === "wait") client.connect().catch(() => undefined);
      await until(`Redis listens on port ${port}`, 10_000, () => client.status === "ready");
      await client.ping();
    },
    stop: async () => {
      if (!shell) return;
      const ended = once(shell, "exit");
      shell.stdin?.end();
      await ended;
      shell = null;
    },
    [Symbol.asyncDispose]: async () => {
      client.disconnect();
      await redis.stop();
    },
  };
  await redis.start();
  return redis;
}
