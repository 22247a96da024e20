import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { until } from "./until.ts";

export const ROOT = join(import.meta.dirname, "../..");
/** Type stripping is what the service runs on; older 24s print a warning about it in every process. */
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning"];
const READY_MS = 30_000;
const STOP_MS = 15_000;
const TAIL = 40;

export interface LogLine {
  readonly atMs: number;
  readonly text: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One process of the service: the API or a worker. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  /** Where it listens; 0 before it does. */
  port(): number;
  readonly log: readonly LogLine[];
  readonly ended: Promise<Ended>;
  isRunning(): boolean;
  /** Resolves when /readyz says 200; rejects when the process ends before. */
  ready(): Promise<void>;
  /** Sends the signal and resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<Ended>;
  /** SIGTERM, and after its grace SIGKILL. */
  stop(): Promise<Ended>;
}

/** Runs a main on this Node. It ends when this process is gone: the pipe that it watches closes. */
export function run(name: string, main: string, env: Readonly<Record<string, string>>): Running {
  const child = spawn(process.execPath, [...NODE_FLAGS, main], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", TMPDIR: process.env["TMPDIR"] ?? "/tmp", ...env, SLUICE_PARENT_FD: "3" },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const log: LogLine[] = [];
  let port = 0;
  const hear = (text: string) => {
    log.push({ atMs: performance.now(), text });
    port ||= Number(/^\{.*"port":(\d+)/.exec(text)?.[1] ?? 0);
  };
  for (const output of [child.stdout, child.stderr]) if (output) createInterface({ input: output }).on("line", hear);
  child.stdio[3]?.on("error", () => undefined);
  let end: Ended | null = null;
  const ended = new Promise<Ended>((resolve) => {
    const done = (code: number | null, signal: NodeJS.Signals | null) => resolve((end ??= { code, signal }));
    child.once("exit", done);
    child.once("error", (error) => (hear(error.message), done(null, null)));
  });
  const running: Running = {
    name,
    pid: child.pid ?? 0,
    port: () => port,
    log,
    ended,
    isRunning: () => end === null,
    ready: async () => {
      await until(`${name} is ready`, READY_MS, async () => {
        if (end) throw new Error(`${name} ended (${end.signal ?? end.code}) before it was ready:\n${tail(running)}`);
        return port !== 0 && (await answers(`http://127.0.0.1:${port}/readyz`));
      });
    },
    kill: async (signal = "SIGKILL") => {
      child.kill(signal);
      return ended;
    },
    stop: async () => {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      const how = await ended;
      clearTimeout(late);
      return how;
    },
  };
  return running;
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

/** The last lines it wrote, for a failure's report. */
export function tail(running: Running, lines = TAIL): string {
  return running.log
    .slice(-lines)
    .map(({ text }) => `  [${running.name}] ${text.slice(0, 1_000)}`)
    .join("\n");
}
