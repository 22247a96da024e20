import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { Client } from "pg";
import { testDatabase } from "../harness/database.ts";

export const ADMIN_KEY = "the-admin-key-of-the-tests";
const MAIN = join(import.meta.dirname, "../../apps/api/src/main.ts");

export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly msg: string;
}

/** The API as its own process, on a free port, over a new database and a new folder. */
export interface ApiProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly root: string;
  readonly log: readonly LogLine[];
  /** Rows of the records. */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Open file descriptors of the process. */
  descriptors(): Promise<number>;
  /** Resolves with the first log line, past or future, that fits. */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

export async function startApi(env: Readonly<Record<string, string>> = {}): Promise<ApiProcess> {
  const database = await testDatabase();
  const root = await mkdtemp(join(tmpdir(), "sluice-api-"));
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env["PATH"] ?? "",
      DATABASE_URL: database.url,
      STORAGE_URL: pathToFileURL(root).href,
      PORT: "0",
      SLUICE_API_KEY: ADMIN_KEY,
      SLUICE_MIN_FREE_DISK: "0",
      SLUICE_MAX_UPLOAD: "1MiB",
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const log = listen(child);
  const listening = await log.first((line) => line.msg === "listening");
  await log.first((line) => line.msg === "ready");
  const records = new Client({ connectionString: database.url, options: "-c search_path=sluice" });
  await records.connect();
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const stop = () => {
    child.kill("SIGTERM");
    return exited;
  };
  const port = Number(listening["port"]);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    root,
    log: log.lines,
    query: async <Row>(sql: string, values: readonly unknown[] = []) => (await records.query(sql, [...values])).rows as Row[],
    descriptors: async () => (await readdir(`/proc/${child.pid}/fd`)).length,
    logged: log.first,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await records.end();
      await database[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}

function listen(child: ChildProcess) {
  const lines: LogLine[] = [];
  const waiting = new Set<{ fits: (line: LogLine) => boolean; resolve: (line: LogLine) => void; reject: (error: Error) => void }>();
  if (!child.stdout) throw new Error("the process has no output");
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as LogLine;
    lines.push(line);
    for (const one of waiting) {
      if (!one.fits(line)) continue;
      waiting.delete(one);
      one.resolve(line);
    }
  });
  child.once("exit", (code) => {
    for (const one of waiting) one.reject(new Error(`the API ended with ${code} while a log line was awaited`));
  });
  return {
    lines,
    first: (fits: (line: LogLine) => boolean) =>
      new Promise<LogLine>((resolve, reject) => {
        const past = lines.find(fits);
        if (past) resolve(past);
        else waiting.add({ fits, resolve, reject });
      }),
  };
}
