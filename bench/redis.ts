import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { undoing } from "./cleanup.ts";

/** What scripts/test-redis.mjs wants of whoever starts it. */
interface Stage {
  readonly folder: (name: string) => string;
  readonly serve: (name: string, command: string, args: string[], options: { port: number; env: NodeJS.ProcessEnv }) => Promise<void>;
}

/** Starts a real Redis of our own, installed first where it may be. */
export async function startBenchRedis(say: (line: string) => void): Promise<AsyncDisposable & { readonly url: string }> {
  const { startRedis } = (await import(new URL("../scripts/test-redis.mjs", import.meta.url).href)) as {
    startRedis: (stage: Stage, say: (line: string) => void) => Promise<{ TEST_REDIS_URL: string }>;
  };
  const undos: AsyncDisposable[] = [];
  const stage: Stage = {
    folder: (name) => {
      const path = mkdtempSync(join(tmpdir(), `sluice-bench-${name}-`));
      undos.push(undoing(() => rmSync(path, { recursive: true, force: true })));
      return path;
    },
    serve: async (name, command, args, { port, env }) => {
      const child = spawn(command, args, { cwd: "/", env, detached: true, stdio: "ignore" });
      undos.push(
        undoing(async () => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const gone = once(child, "exit");
          child.kill("SIGTERM");
          await gone;
        }),
      );
      for (const until = Date.now() + 20_000; !(await accepts(port)); await sleep(30))
        if (child.exitCode !== null || Date.now() > until) throw new Error(`${name} does not start`);
    },
  };
  const { TEST_REDIS_URL: url } = await startRedis(stage, say);
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      for (const undo of undos.reverse()) await undo[Symbol.asyncDispose]();
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.on("connect", () => answer(true)).on("error", () => answer(false));
  });
}
