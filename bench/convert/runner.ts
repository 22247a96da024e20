import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { memoryOf, resetPeak } from "../proc.ts";
import { undoing } from "../cleanup.ts";
import type { Ran, Work } from "./work.ts";

const bench = join(import.meta.dirname, "..");

/** A process that does one piece of work after the other, pinned to some cores. */
export interface Runner extends AsyncDisposable {
  run(work: Work): Promise<Ran & { readonly peakRss: number }>;
}

/** V8 flags of the sandbox (apps/worker/src/child-process.ts), so that memory is managed as there. */
const SANDBOX_FLAGS = ["--max-old-space-size=512", "--max-semi-space-size=16"];

/** Starts `script` (a path below bench/) on `cores`, a list as taskset(1) takes it. */
export function startRunner(script: string, cores: string, args: readonly string[] = []): Runner {
  const flags = ["--disable-warning=ExperimentalWarning", ...(script === "convert/ours.ts" ? SANDBOX_FLAGS : [])];
  const child = spawn("taskset", ["-c", cores, process.execPath, ...flags, join(bench, script), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = answers(child);
  const stopped = undoing(async () => {
    child.stdin?.end();
    child.kill("SIGKILL");
  });
  return {
    run: async (work) => {
      if (child.pid !== undefined) resetPeak(child.pid);
      child.stdin?.write(`${JSON.stringify(work)}\n`);
      const line = await lines.next();
      if (line === null) throw new Error(`bench/${script} ended while it worked on ${work.input}`);
      return { ...(JSON.parse(line) as Ran), peakRss: memoryOf(child.pid ?? 0, "VmHWM") };
    },
    [Symbol.asyncDispose]: () => stopped[Symbol.asyncDispose](),
  };
}

function answers(child: ChildProcess): { next(): Promise<string | null> } {
  if (!child.stdout) throw new Error("a runner without output");
  const reader: Interface = createInterface({ input: child.stdout });
  const each = reader[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { done, value } = await each.next();
      return done ? null : value;
    },
  };
}
