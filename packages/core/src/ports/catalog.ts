import type { DatasetId, GenerationId, OrgId, PartId, TrashId } from "../domain/ids.ts";
import type { LoadRules } from "../domain/options.ts";
import type { TableSchemas } from "../domain/table-schema.ts";

export interface Dataset {
  readonly id: DatasetId;
  readonly org: OrgId;
  readonly path: string;
  readonly rules: LoadRules;
  /** The live generation: its number, schemas, and the version of what readers see. */
  readonly generation: GenerationId;
  readonly generationNumber: number;
  readonly schemas: TableSchemas;
  readonly schemaVersion: number;
  readonly version: number;
  readonly writtenVersion: number;
  readonly createdAtMs: number;
}

export interface DatasetTotals {
  readonly parts: number;
  readonly rows: number;
  readonly bytes: number;
  readonly opaqueFiles: number;
}

export interface LivePart {
  readonly id: PartId;
  readonly kind: "part" | "opaque";
  /** Null for an opaque file. */
  readonly table: string | null;
  readonly name: string;
  readonly key: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly files: readonly string[];
}

/** Datasets and what is live in them. */
export interface Catalog {
  /** The dataset at this path, made when there is none. Throws `path_conflict` when the path lies inside another dataset's, or another's inside it. */
  open(
    org: OrgId,
    path: string,
    fresh: { readonly rules: LoadRules; readonly declared: TableSchemas },
  ): Promise<{ readonly dataset: Dataset; readonly created: boolean }>;
  byId(org: OrgId, id: DatasetId): Promise<Dataset | null>;
  byPath(org: OrgId, path: string): Promise<Dataset | null>;
  /** Ascending ids after the cursor. */
  list(org: OrgId, page: { readonly after: DatasetId | null; readonly limit: number }): Promise<readonly Dataset[]>;
  totals(id: DatasetId): Promise<DatasetTotals>;
  setRules(org: OrgId, id: DatasetId, rules: Partial<LoadRules>): Promise<void>;
  /** Live parts and opaque files (or one kind of them) at a version, ascending ids after the cursor. Null: that version can no longer be shown. */
  parts(
    id: DatasetId,
    at: { readonly version: number; readonly after: PartId | null; readonly limit: number; readonly kind?: LivePart["kind"] },
  ): Promise<readonly LivePart[] | null>;
}

/** What current.json says, read under the dataset's writer lock. */
export interface Snapshot {
  readonly dataset: Dataset;
  readonly parts: readonly LivePart[];
}

/** Keeps current.json behind the records. */
export interface CurrentFiles {
  /** Datasets whose current.json is behind. */
  behind(limit: number): Promise<readonly DatasetId[]>;
  /**
   * Runs `write` with the newest snapshot while no other process writes for this dataset, then notes the version as written.
   * Skips when it is not behind or (unless `wait`) somebody else writes just now. Resolves to the written version.
   */
  write(id: DatasetId, wait: boolean, write: (snapshot: Snapshot) => Promise<void>): Promise<number>;
}

export interface TrashEntry {
  readonly id: TrashId;
  readonly org: OrgId;
  readonly dataset: DatasetId;
  readonly path: string;
  readonly kind: "full_sync" | "restore";
  readonly state: "trashed" | "restored" | "expired";
  readonly generation: GenerationId;
  readonly sync: number | null;
  readonly rows: number;
  readonly bytes: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** What was taken away, and what may be collected. */
export interface Trash {
  list(
    org: OrgId,
    page: { readonly after: TrashId | null; readonly limit: number; readonly dataset: DatasetId | null },
  ): Promise<readonly TrashEntry[]>;
  byId(org: OrgId, id: TrashId): Promise<TrashEntry | null>;
  /** Makes the generation live again; what is live now goes to trash. Throws `not_found`, `wrong_state` when it expired or was restored before. */
  restore(org: OrgId, id: TrashId, trashDays: number): Promise<TrashEntry>;
  /** Drops generations whose trash is due, and unswapped ones whose sync is over: their parts are dead from now on. */
  expire(): Promise<number>;
  /** Object keys of parts dead since before the time and named by no other part. */
  collectable(deadForMs: number, limit: number): Promise<readonly { readonly id: PartId; readonly key: string; readonly last: boolean }[]>;
  /** Forgets collected parts. */
  collected(parts: readonly PartId[]): Promise<void>;
  /** Which of these object keys no part, no rejects and no upload names. */
  unknownKeys(keys: readonly string[]): Promise<readonly string[]>;
  /** Raw objects of files finished before the age whose bytes may go, and of aborted files. */
  expiredRaw(olderThanMs: number, limit: number): Promise<readonly { readonly file: string; readonly key: string }[]>;
}
