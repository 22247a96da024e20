import { Fault, isFault } from "./domain/fault.ts";
import { MAX_STRIKES, NO_ROWS } from "./domain/file.ts";
import type { SyncId } from "./domain/ids.ts";
import { attempt } from "./flow/attempt.ts";
import { claim, type ClaimDeps, LeaseLost } from "./flow/claim.ts";
import { publish, type PublishDeps } from "./flow/publish.ts";
import type { Job } from "./ports/job-queue.ts";
import type { ClaimedFile } from "./ports/work.ts";

export interface IngestDeps extends ClaimDeps, PublishDeps {
  /** Lets at most so many files run at once, and one that lost its leases too often alone. */
  readonly enter: (file: ClaimedFile, signal: AbortSignal) => Promise<Disposable>;
  /** Told once per attempt, with ids and timings. */
  readonly onOutcome: (report: IngestReport) => void;
}

/** How an attempt ended. `again`: given back, to be tried later; `stale`: another attempt has the file. */
export interface IngestReport {
  readonly file: ClaimedFile;
  readonly end: "loaded" | "stored" | "failed" | "again" | "stale";
  readonly ms: number;
  readonly rows: number;
  readonly error: unknown;
}

/** Thrown as the signal's reason when the worker stops: the file goes back at once, without a strike. */
export class WorkerStopping extends Error {
  constructor() {
    super("the worker stops");
    this.name = "WorkerStopping";
  }
}

const ROUNDS = 20;

/**
 * The worker's door: claim -> [parse -> conform -> write] -> publish, recording the outcome after each.
 * Never rejects for what a file or the platform does; resolves to the file's sync when it is done, else null.
 */
export async function ingest(deps: IngestDeps, job: Extract<Job, { kind: "file" }>, signal: AbortSignal): Promise<SyncId | null> {
  const started = performance.now();
  const file = await claim(deps, job);
  if (!file) return null;
  using hold = deps.held.hold(file);
  const ended = AbortSignal.any([signal, hold.signal]);
  const report = (end: IngestReport["end"], rows: number, error: unknown = null) =>
    deps.onOutcome({ file, end, rows, error, ms: performance.now() - started });
  try {
    using _slot = await deps.enter(file, ended);
    const done = await convertAndPublish(deps, file, (rows, bytes) => hold.progress(rows, bytes), ended);
    report(done.end, done.rows, done.fault);
    return done.end === "stale" ? null : file.sync;
  } catch (error) {
    const end = await settle(deps, file, error);
    report(end, 0, error);
    return end === "failed" ? file.sync : null;
  }
}

interface Done {
  readonly end: IngestReport["end"];
  readonly rows: number;
  readonly fault: unknown;
}

/** Converts under the target as it is, publishes, and does both again when the target moved on meanwhile. */
async function convertAndPublish(
  deps: IngestDeps,
  file: ClaimedFile,
  progress: (rows: number, bytes: number) => void,
  signal: AbortSignal,
): Promise<Done> {
  let target = file.target;
  let written = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const made = await attempt(deps, { ...file, file: file.id, into: target, mode: "load", firstIndex: written, progress }, signal);
    written += made.numbers;
    signal.throwIfAborted();
    const result = await publish(deps, file, target, made, signal);
    if (result === "stale") return { end: "stale", rows: 0, fault: null };
    if (result === "done") {
      const { outcome } = made;
      if (outcome.kind === "failed") return { end: "failed", rows: outcome.counts.read, fault: outcome.fault };
      return outcome.kind === "opaque"
        ? { end: "stored", rows: 0, fault: null }
        : { end: "loaded", rows: outcome.counts.loaded, fault: null };
    }
    const moved = await deps.work.target(file.id, file.epoch);
    if (!moved) return { end: "stale", rows: 0, fault: null };
    target = moved;
  }
  throw new Fault("internal", `the schema of ${target.path} changed ${ROUNDS} times while ${file.name} was converted`);
}

/** What a failed attempt means for the file: given back, a strike, or the end. Platform faults never fail a file. */
async function settle(deps: IngestDeps, file: ClaimedFile, error: unknown): Promise<"failed" | "again" | "stale"> {
  if (error instanceof LeaseLost) return "stale";
  if (error instanceof WorkerStopping) {
    await deps.work.giveBack(file.id, file.epoch, { delayMs: 0, strike: false });
    return "again";
  }
  if (isFault(error) && error.blame === "platform") {
    await deps.work.giveBack(file.id, file.epoch, { delayMs: backoff(file), strike: false });
    return "again";
  }
  // Not a fault, so a bug: it counts as a strike, or a file that always meets it would be tried for ever.
  const fault = isFault(error)
    ? error
    : new Fault("internal", "an unexpected error in the worker; its log has the details", { cause: error });
  const strike = fault.code === "child_died" || fault.code === "internal";
  if (strike && file.strikes + 1 < MAX_STRIKES) {
    await deps.work.giveBack(file.id, file.epoch, { delayMs: 0, strike: true });
    return "again";
  }
  const record = strike ? new Fault(fault.code, `${fault.message} (${MAX_STRIKES} times)`, fault.detail).toRecord() : fault.toRecord();
  const findings = { detected: null, counts: NO_ROWS, rejects: [], rejectsKey: null };
  const result = await deps.publication.publishFailed({ file: file.id, epoch: file.epoch, fault: record, findings });
  return result === "stale" ? "stale" : "failed";
}

/** 1 s, doubled with every attempt, at most 60 s. */
function backoff(file: ClaimedFile): number {
  return Math.min(60_000, 1_000 * 2 ** Math.min(file.attempts - 1, 6));
}
