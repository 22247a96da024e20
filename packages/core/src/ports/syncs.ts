import type { MaxRejects, OnBadRow } from "../domain/dataset.ts";
import type { DatasetId, GenerationId, OrgId, SyncId } from "../domain/ids.ts";
import type { LoadRules } from "../domain/options.ts";
import type { OnFileError, SyncState, SyncType } from "../domain/sync.ts";
import type { TableSchemas } from "../domain/table-schema.ts";
import type { Remade, RemakeSource } from "./publication.ts";

export interface NewSync {
  readonly org: OrgId;
  readonly dataset: DatasetId;
  readonly name: string;
  readonly type: SyncType;
  readonly onFileError: OnFileError;
  readonly allowEmpty: boolean;
  readonly onBadRow: OnBadRow | null;
  readonly maxRejects: MaxRejects | null;
  /** Milliseconds without an upload after which an open sync expires; null: never. */
  readonly idleMs: number | null;
}

/** What a surface needs to know before it takes an upload. */
export interface SyncHead {
  readonly id: SyncId;
  readonly org: OrgId;
  readonly dataset: DatasetId;
  readonly path: string;
  readonly state: SyncState;
  readonly type: SyncType;
}

/** Parts that a full sync would carry over from the live generation, and which of their files must be made again first. */
export interface CarryOver {
  readonly generation: GenerationId;
  readonly number: number;
  readonly path: string;
  readonly schemas: TableSchemas;
  readonly schemaVersion: number;
  readonly remake: readonly { readonly table: string; readonly source: RemakeSource }[];
}

export type CompletionStep =
  | { readonly step: "not_ready" }
  | { readonly step: "closed"; readonly state: SyncState }
  /** Its outcome is decided and visible in the records; current.json must reach the version, then `close` it. */
  | { readonly step: "decided"; readonly dataset: DatasetId; readonly version: number }
  /** A full sync that will swap, after these are made again. */
  | { readonly step: "carry"; readonly dataset: DatasetId; readonly carry: CarryOver };

/** The sync side of the records. Completion is idempotent: any process may run any step again. */
export interface Syncs {
  start(sync: NewSync): Promise<SyncId>;
  /** The head of a sync of this org, or null. */
  head(org: OrgId, sync: SyncId): Promise<SyncHead | null>;
  /** Freezes the set of files; repeating it changes nothing, also when the sync is over. Throws `not_found`, and `sync_closed` when it was cancelled or expired. */
  end(org: OrgId, sync: SyncId): Promise<SyncState>;
  /** Cancels it and fails its open files. A full sync keeps the old data, an incremental one what is loaded. Throws `not_found`, `sync_closed`. */
  cancel(org: OrgId, sync: SyncId): Promise<void>;
  /** The implicit incremental sync of a dataset. */
  implicit(org: OrgId, dataset: DatasetId): Promise<SyncId>;
  /** Decides the outcome of an ending sync whose files are all done, swapping a full one in the same transaction unless parts must be made again first. */
  decide(
    sync: SyncId,
    trashDays: number,
    remade?: { readonly schemas: TableSchemas; readonly basedOn: number; readonly files: readonly Remade[] },
  ): Promise<CompletionStep>;
  /** Shows the decided outcome. */
  close(sync: SyncId): Promise<void>;
  /** Syncs to look at again: ending ones without open files; and expires open ones that are idle too long. */
  due(limit: number): Promise<readonly SyncId[]>;
}

export type { LoadRules };
