import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { Fault, type FaultRecord } from "@sluice/core/domain/fault";
import type { ConvertIo, ConvertOutcome, ConvertRequest } from "@sluice/core/ports/converter";
import { type Ended, FRAME, type FrameKind, FrameReader, type Thrown, header } from "./frames.ts";
import { JobIo } from "./job-io.ts";

const CANCEL_GRACE_MS = 500;
const RSS_EVERY_MS = 100;
const STDERR_KEPT = 4_096;

export interface ChildLimits {
  readonly heapBytes: number;
  readonly rssBytes: number;
  readonly wallClockMs: number;
}

/** How a child ended. `limit` is the cap it hit. */
export interface Death {
  readonly why: string;
  readonly limit?: number;
  readonly stderr: string;
}

type Reply =
  | { readonly kind: "outcome"; readonly outcome: ConvertOutcome }
  | { readonly kind: "threw"; readonly thrown: Thrown }
  | { readonly kind: "died"; readonly death: Death };

interface Running {
  readonly no: number;
  readonly io: JobIo;
  /** Whether the child has said anything about the job. */
  heard: boolean;
  reply(reply: Reply): void;
}

/** The child was dead before it touched the job: the job is as good as new, and no file is to blame. */
export class NeverBegun extends Error {}

/** One sandboxed process. Runs one job at a time; a job that does not end in an outcome leaves it `spent`. */
export class SandboxChild {
  readonly ready: Promise<void>;
  readonly gone: Promise<Death>;
  jobs = 0;
  /** Not to be given another job. */
  spent = false;
  readonly #process: ChildProcess;
  readonly #pipe: Duplex;
  readonly #limits: ChildLimits;
  #stderr = "";
  #killed: Omit<Death, "stderr"> | null = null;
  #running: Running | null = null;
  #onReady: () => void = () => undefined;

  constructor(entry: string, limits: ChildLimits) {
    this.#limits = limits;
    const [command, ...args] = commandLine(entry, limits.heapBytes);
    this.#process = spawn(command, args, { cwd: "/", env: {}, stdio: ["ignore", "ignore", "pipe", "pipe"] });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.#pipe = this.#process.stdio[3] as Duplex;
    const frames = new FrameReader((kind, id, payload) => this.#onFrame(kind, id, payload));
    this.#pipe.on("data", (chunk: Buffer) => this.#guard(() => frames.push(chunk)));
    this.#pipe.on("error", () => undefined); // its end is told by the process's
    this.gone = this.#whenGone();
    this.ready = new Promise((resolve, reject) => {
      this.#onReady = resolve;
      void this.gone.then((death) => reject(new Error(`a sandbox could not start: it ${death.why}: ${death.stderr.trim()}`)));
    });
    this.ready.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The last 4 KB it said. */
  get stderr(): string {
    return this.#stderr;
  }

  get busy(): boolean {
    return this.#running !== null;
  }

  /** Resident bytes, or 0 where /proc does not tell. Not from statm, whose unit is the page: 4 to 64 KB. */
  rss(): number {
    try {
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, "latin1"))?.[1] ?? 0) * 1_024;
    } catch {
      return 0;
    }
  }

  kill(why = "was stopped", limit?: number): void {
    this.spent = true;
    this.#killed ??= limit === undefined ? { why } : { why, limit };
    this.#process.kill("SIGKILL");
  }

  /** Runs one job; see `Converter.convert`. */
  async run(request: ConvertRequest, io: ConvertIo, signal: AbortSignal): Promise<ConvertOutcome> {
    const no = ++this.jobs;
    let cancelled: { readonly error: unknown } | null = null;
    let grace: NodeJS.Timeout | undefined;
    const cancel = (error: unknown) => {
      if (cancelled) return;
      cancelled = { error };
      this.#send(FRAME.cancel, no);
      grace = setTimeout(() => this.kill("did not stop when asked"), CANCEL_GRACE_MS);
    };
    const jobIo = new JobIo(io, (kind, id, payload) => this.#send(kind, id, payload), cancel);
    const replied = new Promise<Reply>((resolve) => {
      this.#running = { no, io: jobIo, heard: false, reply: resolve };
    });
    const onAbort = () => cancel(signal.reason);
    signal.addEventListener("abort", onAbort);
    const unwatch = this.#watchLimits();
    this.#send(FRAME.job, no, Buffer.from(JSON.stringify(request)));
    if (signal.aborted) onAbort();
    const reply = await replied;
    const heard = this.#running?.heard ?? false;
    jobIo.end();
    this.#running = null;
    unwatch();
    clearTimeout(grace);
    signal.removeEventListener("abort", onAbort);
    if (cancelled !== null || reply.kind !== "outcome") this.spent = true;
    if (cancelled !== null) throw (cancelled as { error: unknown }).error;
    if (reply.kind === "died" && !heard && this.#killed === null) throw new NeverBegun(reply.death.why);
    return outcomeOf(reply);
  }

  #watchLimits(): () => void {
    const { wallClockMs, rssBytes } = this.#limits;
    const wall = setTimeout(() => this.kill(`ran longer than ${wallClockMs} ms`, wallClockMs), wallClockMs);
    const memory = setInterval(() => {
      if (this.rss() > rssBytes) this.kill(`exceeded its memory limit of ${rssBytes} bytes`, rssBytes);
    }, RSS_EVERY_MS);
    return () => {
      clearTimeout(wall);
      clearInterval(memory);
    };
  }

  #onFrame(kind: number, id: number, payload: Buffer): void {
    if (kind === FRAME.ready) return this.#onReady();
    const running = this.#running;
    if (!running) return;
    running.heard = true;
    if (kind === FRAME.outcome && id === running.no) {
      const { outcome, worn } = JSON.parse(payload.toString()) as Ended;
      // Its answer counts; the next job goes to another child.
      if (worn) this.spent = true;
      running.reply({ kind: "outcome", outcome });
    } else if (kind === FRAME.threw && id === running.no) {
      running.reply({ kind: "threw", thrown: JSON.parse(payload.toString()) as Thrown });
    } else {
      running.io.onFrame(kind, id, payload);
    }
  }

  /** A child that breaks the rules of the pipe is out of its mind and counts as dead. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.kill(`broke the pipe's rules: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #send(kind: FrameKind, id: number, payload: Uint8Array = new Uint8Array(0)): void {
    if (this.#pipe.destroyed) return;
    this.#pipe.cork();
    this.#pipe.write(header(kind, id, payload.byteLength));
    if (payload.byteLength > 0) this.#pipe.write(payload);
    this.#pipe.uncork();
  }

  async #whenGone(): Promise<Death> {
    const how = await new Promise<Omit<Death, "stderr">>((resolve) => {
      this.#process.on("error", (error) => resolve({ why: `could not be started: ${error.message}` }));
      // close, not exit: by then its last frames and its last words are read.
      this.#process.on("close", (code, signal) => resolve(this.#killed ?? this.#howItEnded(code, signal)));
    });
    this.spent = true;
    this.#pipe.destroy();
    const death = { ...how, stderr: this.#stderr };
    this.#running?.reply({ kind: "died", death });
    return death;
  }

  #howItEnded(code: number | null, signal: NodeJS.Signals | null): Omit<Death, "stderr"> {
    const { heapBytes } = this.#limits;
    if (/heap out of memory|Reached heap limit/.test(this.#stderr)) {
      return { why: `exceeded its heap limit of ${heapBytes} bytes`, limit: heapBytes };
    }
    return { why: signal === null ? `exited with code ${code}` : `was killed by ${signal}` };
  }
}

function outcomeOf(reply: Reply): ConvertOutcome {
  switch (reply.kind) {
    case "outcome":
      return reply.outcome;
    case "died":
      return died(reply.death.why, reply.death.limit);
    case "threw":
      if (reply.thrown.trap) return died(`trapped: ${reply.thrown.message}`);
      throw errorOf(reply.thrown);
  }
}

function died(why: string, limit?: number): never {
  throw new Fault("child_died", `the file's sandbox ${why}`, limit === undefined ? {} : { limit });
}

function errorOf(thrown: Thrown): Error {
  if (thrown.fault !== null) return Fault.fromRecord(thrown.fault as FaultRecord);
  const error = new Error(`${thrown.name}: ${thrown.message}`);
  if (thrown.stack !== null) error.stack = thrown.stack;
  return error;
}

const ROOT = new URL("../../../", import.meta.url);
/** The child reads code and nothing else: no data folder, no configuration, no /proc. */
const READABLE = ["node_modules/", "packages/", "apps/worker/", "package.json"];

let leash: readonly string[] | null = null;

/**
 * A child that loops never sees its pipe end, so on Linux the kernel is asked to kill it with its parent (PR_SET_PDEATHSIG,
 * through util-linux's setpriv, which replaces itself by node). Elsewhere a looping orphan lives until it comes to rest.
 */
function leashCommand(): readonly string[] {
  if (leash === null) {
    // By its path: the child's environment is empty, PATH too.
    const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));
    const command = [setpriv ?? "", "--pdeathsig", "KILL", "--no-new-privs"];
    const works = setpriv !== undefined && spawnSync(setpriv, [...command.slice(1), process.execPath, "--version"]).status === 0;
    leash = works ? command : [];
  }
  return leash;
}

function commandLine(entry: string, heapBytes: number): [string, ...string[]] {
  const node = [
    process.execPath,
    "--permission",
    ...READABLE.map((path) => `--allow-fs-read=${fileURLToPath(new URL(path, ROOT))}`),
    `--max-old-space-size=${Math.ceil(heapBytes / 2 ** 20)}`,
    // Node 24 grows the young generation to 64 MiB and more; 16 keep the peak of a 100 MB csv at 253 MB instead of 372, for 6 % more CPU.
    "--max-semi-space-size=16",
    fileURLToPath(new URL("child.ts", import.meta.url)),
    entry,
  ];
  const [command = process.execPath, ...args] = [...leashCommand(), ...node];
  return [command, ...args];
}
