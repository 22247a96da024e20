import type { DatasetId, FileId, HistoryNo, OrgId, SyncId } from "../domain/ids.ts";
import type { FileOptions, LoadRules } from "../domain/options.ts";
import type { RememberedAnswer, RunningKey } from "./idempotency.ts";

/** A file whose raw bytes are durable. */
export interface StagedFile {
  readonly id: FileId;
  readonly name: string;
  readonly rawKey: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly contentType: string | null;
  readonly receivedAtMs: number;
}

/** Where an upload goes, once it is known to be allowed. */
export interface UploadTarget {
  readonly org: OrgId;
  readonly dataset: DatasetId;
  readonly sync: SyncId;
  /** Below the dataset's path; "" for the path itself. */
  readonly subPath: string;
}

export interface CommitUpload {
  readonly target: UploadTarget;
  readonly files: readonly StagedFile[];
  readonly options: FileOptions;
  /** Rules asked for by this upload alone. */
  readonly rules: Partial<LoadRules>;
  /** A running idempotency key, and how the answer is made from what was accepted. */
  readonly idempotency?: { readonly running: RunningKey; readonly answer: (accepted: readonly AcceptedFile[]) => RememberedAnswer };
}

export interface AcceptedFile {
  readonly id: FileId;
  readonly historyNo: HistoryNo;
}

/** The upload side of the records. Throws `records_unavailable` when they cannot be reached. */
export interface Uploads {
  /** Notes files whose bytes begin to arrive (state receiving), so that leftovers can be found. May be lost in a crash of the records; `commit` does not rely on it. */
  begin(org: OrgId, files: readonly { readonly id: FileId; readonly name: string; readonly rawKey: string }[]): Promise<void>;
  /** Commits all the files of one request durably, or none: state staged, history numbers, the sync's totals, the idempotent answer. Throws `sync_closed`, `not_found`. */
  commit(upload: CommitUpload): Promise<readonly AcceptedFile[]>;
  /**
   * Marks files that never arrived whole as aborted and tells which ones: only their raw bytes may be removed. A file whose
   * commit went through although its answer was lost is not among them.
   */
  abort(files: readonly FileId[]): Promise<readonly FileId[]>;
  /** Files in receiving older than the time: their process died. Marks them aborted and tells their raw keys. */
  abandon(olderThanMs: number): Promise<readonly { readonly id: FileId; readonly rawKey: string }[]>;
}
