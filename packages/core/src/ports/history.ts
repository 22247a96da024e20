import type { FaultRecord } from "../domain/fault.ts";
import type { FileState, Reject, RowCounts } from "../domain/file.ts";
import type { DatasetId, FileId, HistoryNo, OrgId, SyncId } from "../domain/ids.ts";
import type { OnFileError, SyncState, SyncType } from "../domain/sync.ts";
import type { Detected } from "./converter.ts";

export interface SyncRow {
  readonly id: SyncId;
  readonly org: OrgId;
  readonly dataset: DatasetId;
  readonly name: string;
  readonly path: string;
  readonly type: SyncType;
  readonly state: SyncState;
  readonly implicit: boolean;
  readonly onFileError: OnFileError;
  readonly allowEmpty: boolean;
  readonly message: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** Files acknowledged so far, and of them failed, loaded, stored. */
  readonly total: number;
  readonly failed: number;
  readonly loaded: number;
  readonly stored: number;
}

export interface FileRow {
  readonly id: FileId;
  readonly org: OrgId;
  readonly dataset: DatasetId;
  readonly sync: SyncId;
  readonly historyNo: HistoryNo;
  readonly name: string;
  readonly subPath: string;
  readonly path: string;
  readonly state: FileState;
  readonly attempts: number;
  readonly strikes: number;
  readonly lostLeases: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly contentType: string | null;
  readonly rawKey: string;
  readonly rawRemoved: boolean;
  readonly options: Readonly<Record<string, unknown>>;
  readonly detected: Detected | null;
  readonly counts: RowCounts;
  readonly progress: { readonly rows: number; readonly bytes: number };
  readonly rejectsKey: string | null;
  readonly fault: FaultRecord | null;
  readonly receivedAtMs: number;
  readonly stagedAtMs: number;
  readonly claimedAtMs: number | null;
  readonly finishedAtMs: number | null;
}

/** Fields that lists may be sorted by. Those with an index: ids and times; the others cost a sort of what the filters leave. */
export const SYNC_SORTS = ["id", "name", "path", "type", "state", "started", "ended", "total", "failed"] as const;
export const FILE_SORTS = ["id", "sync", "name", "state", "started", "ended", "message"] as const;

export interface SyncQuery {
  readonly org: OrgId;
  readonly sync?: SyncId;
  readonly states?: readonly SyncState[];
  readonly path?: string;
  /** Syncs that have a file of this name. */
  readonly fileName?: string;
  readonly sort: (typeof SYNC_SORTS)[number];
  readonly descending: boolean;
  /** Rows left out before the first (linear), or the id after which to go on (constant; only with sort id). */
  readonly offset?: number;
  readonly after?: SyncId;
  readonly limit: number;
}

export interface FileQuery {
  readonly org: OrgId;
  readonly sync?: SyncId;
  readonly dataset?: DatasetId;
  readonly states?: readonly FileState[];
  /** The dataset's path, or a path beneath it. */
  readonly path?: string;
  readonly name?: string;
  readonly sort: (typeof FILE_SORTS)[number];
  readonly descending: boolean;
  readonly offset?: number;
  readonly after?: HistoryNo;
  readonly limit: number;
}

export interface Gauges {
  /** Files by open state, counted exactly. */
  readonly openFiles: Readonly<Partial<Record<FileState, number>>>;
  /** Files by final state, from the syncs' totals. */
  readonly doneFiles: Readonly<Record<"loaded" | "stored" | "failed", number>>;
  readonly oldestOpenMs: number | null;
  readonly openSyncs: number;
}

/** Reading the history. Implicit syncs are in no list of syncs. */
export interface History {
  syncs(query: SyncQuery): Promise<readonly SyncRow[]>;
  sync(org: OrgId, id: SyncId): Promise<SyncRow | null>;
  files(query: FileQuery): Promise<readonly FileRow[]>;
  file(org: OrgId, id: FileId): Promise<FileRow | null>;
  /** The first 100 rejects of a file's last attempt. */
  rejects(file: FileId): Promise<readonly Reject[]>;
  /** Resolves with the file when it is finished (loaded, stored or failed) or the time is over. */
  waitFor(org: OrgId, id: FileId, timeoutMs: number, signal: AbortSignal): Promise<FileRow | null>;
  /** Makes a failed file due again: state staged, a new epoch, its sync's totals corrected. Throws `not_found`, `wrong_state`, `raw_gone`. */
  retry(org: OrgId, id: FileId): Promise<void>;
  gauges(): Promise<Gauges>;
}
