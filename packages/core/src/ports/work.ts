import type { DatasetId, Epoch, FileId, GenerationId, OrgId, SyncId } from "../domain/ids.ts";
import type { FileOptions, LoadRules } from "../domain/options.ts";
import type { TableSchemas } from "../domain/table-schema.ts";
import type { Job } from "./job-queue.ts";

/** A file as a worker holds it. */
export interface ClaimedFile {
  readonly id: FileId;
  readonly org: OrgId;
  readonly dataset: DatasetId;
  readonly sync: SyncId;
  readonly epoch: Epoch;
  readonly name: string;
  readonly rawKey: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly contentType: string | null;
  readonly options: FileOptions;
  readonly rules: LoadRules;
  readonly attempts: number;
  readonly strikes: number;
  readonly lostLeases: number;
  readonly target: GenerationState;
}

/** The generation that a file loads into, and its schemas at that moment. */
export interface GenerationState {
  readonly generation: GenerationId;
  readonly number: number;
  readonly path: string;
  readonly schemas: TableSchemas;
  readonly schemaVersion: number;
}

/** The worker side of the records: who works on what. Time is the records' own. */
export interface Work {
  /** Marks due files of an org as enqueued, up to `bound` in the queue at once, oldest first; null: of every org. */
  takeDue(org: OrgId | null, bound: number): Promise<readonly Job[]>;
  /** Takes marks back when the queue refused the jobs. */
  untake(jobs: readonly Job[]): Promise<void>;
  /** Mints the next epoch and a lease; null: the job is stale, drop it. */
  claim(job: { readonly file: string; readonly epoch: number }, worker: string, leaseMs: number): Promise<ClaimedFile | null>;
  /** The target of a claimed file as it is now. Null when the epoch is stale. */
  target(file: FileId, epoch: Epoch): Promise<GenerationState | null>;
  /** Prolongs leases and notes progress; tells the files that are lost or cancelled (stop working on them). */
  heartbeat(held: readonly HeldFile[], leaseMs: number): Promise<readonly FileId[]>;
  /** Gives a file back: to be tried again after `delayMs`. `strike` counts a died child. A stale epoch changes nothing. */
  giveBack(file: FileId, epoch: Epoch, why: { readonly delayMs: number; readonly strike: boolean }): Promise<void>;
  /** Puts back files whose lease is over (counting a lost lease) or that the queue lost, moving their epochs on. Tells how many; and what is enqueued but unclaimed for `enqueuedMs`, for checking. */
  overdue(
    enqueuedMs: number,
    limit: number,
  ): Promise<{
    readonly putBack: number;
    readonly enqueued: readonly Job[];
    readonly worn: readonly { readonly file: FileId; readonly epoch: Epoch }[];
  }>;
  /** The queue does not hold these jobs any more: moves their epochs on and makes them due. */
  putBack(jobs: readonly Job[]): Promise<number>;
}

export interface HeldFile {
  readonly id: FileId;
  readonly epoch: Epoch;
  readonly rows: number;
  readonly bytes: number;
}
