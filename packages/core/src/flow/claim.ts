import type { Job } from "../ports/job-queue.ts";
import type { ClaimedFile, Work } from "../ports/work.ts";

export interface ClaimDeps {
  readonly work: Work;
  /** Names this worker in the records. */
  readonly worker: string;
  readonly leaseMs: number;
  readonly held: HeldFiles;
}

/** Files that this process works on, kept alive by its heartbeat. */
export interface HeldFiles {
  /** Begins to hold a claimed file; its signal aborts when the lease is lost. */
  hold(file: ClaimedFile): Hold;
}

export interface Hold extends Disposable {
  /** Aborted with a reason of `LeaseLost` when the records gave the file to another or cancelled it. */
  readonly signal: AbortSignal;
  progress(rows: number, bytes: number): void;
}

/** The reason of a hold's abort: whatever this attempt does from now on changes nothing. */
export class LeaseLost extends Error {
  constructor(file: string) {
    super(`the lease on file ${file} is lost`);
    this.name = "LeaseLost";
  }
}

/** Takes the file of a job; null when the job is stale: another one took it, or it is done. */
export async function claim(deps: ClaimDeps, job: Extract<Job, { kind: "file" }>): Promise<ClaimedFile | null> {
  return deps.work.claim({ file: job.file, epoch: job.epoch }, deps.worker, deps.leaseMs);
}
