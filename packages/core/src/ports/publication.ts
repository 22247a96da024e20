import type { FaultRecord } from "../domain/fault.ts";
import type { Reject, RowCounts } from "../domain/file.ts";
import type { DatasetId, Epoch, FileId, GenerationId, OrgId, PartId } from "../domain/ids.ts";
import type { FileOptions, LoadRules } from "../domain/options.ts";
import type { TableSchema, TableSchemas } from "../domain/table-schema.ts";
import type { Detected } from "./converter.ts";

/** A part as it is about to be published. */
export interface NewPart {
  readonly id: PartId;
  readonly table: string;
  readonly key: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** What an attempt found out, recorded with its outcome. */
export interface Findings {
  readonly detected: Detected | null;
  readonly counts: RowCounts;
  readonly rejects: readonly Reject[];
  readonly rejectsKey: string | null;
}

/** Another file of the generation, made again under the new schemas. Its epoch was minted by `mintRemake`. */
export interface Remade {
  readonly file: FileId;
  readonly epoch: Epoch;
  readonly parts: readonly NewPart[];
  readonly findings: Findings;
}

export interface LoadedFile {
  readonly file: FileId;
  readonly epoch: Epoch;
  readonly generation: GenerationId;
  /** The schema version that the attempt was based on. */
  readonly basedOn: number;
  /** The schemas under which the parts were written, of this file's tables. */
  readonly schemas: TableSchemas;
  /** What those schemas change: nothing, new columns only, or the types of live columns (then `remade` has every other file concerned). */
  readonly change: "none" | "added" | "widened";
  readonly parts: readonly NewPart[];
  readonly findings: Findings;
  /** Files made again because a column was widened. */
  readonly remade: readonly Remade[];
}

/**
 * done: what readers see has changed (or had been changed by this very attempt before); stale: the epoch is not the newest,
 * nothing changed; conflict: the generation or its schema moved on, convert again under the new target.
 */
export type PublishResult = "done" | "stale" | "conflict";

/** A live file of a generation whose parts must be made again. */
export interface RemakeSource {
  readonly file: FileId;
  readonly org: OrgId;
  readonly name: string;
  readonly rawKey: string;
  readonly rawRemoved: boolean;
  readonly bytes: number;
  readonly options: FileOptions;
  readonly rules: LoadRules;
}

/** The only port that changes what readers see. Each method is one transaction; running it twice equals once. */
export interface Publication {
  publishLoaded(loaded: LoadedFile): Promise<PublishResult>;
  publishStored(stored: {
    readonly file: FileId;
    readonly epoch: Epoch;
    readonly generation: GenerationId;
    readonly part: Omit<NewPart, "table" | "rows">;
    readonly detected: Detected;
    readonly contentType: string;
  }): Promise<PublishResult>;
  /** Records a failed file: nothing of it is seen. */
  publishFailed(failed: {
    readonly file: FileId;
    readonly epoch: Epoch;
    readonly fault: FaultRecord;
    readonly findings: Findings;
  }): Promise<"done" | "stale">;
  /** Live files with a part of this table whose columns are not a subset of the schema; `exactly`: or lack one of its columns. */
  toRemake(generation: GenerationId, table: string, schema: TableSchema, exactly?: boolean): Promise<readonly RemakeSource[]>;
  /** A fresh epoch of a loaded file that is to be made again: the fence of its new parts. */
  mintRemake(file: FileId): Promise<Epoch>;
  /** Replaces a table's schema on request, with the files made again under it. */
  publishSchema(change: {
    readonly dataset: DatasetId;
    readonly generation: GenerationId;
    readonly basedOn: number;
    readonly schemas: TableSchemas;
    readonly remade: readonly Remade[];
  }): Promise<PublishResult>;
}
