import type { MaxRejects } from "../domain/dataset.ts";
import type { FaultRecord } from "../domain/fault.ts";
import type { DatasetId, OrgId } from "../domain/ids.ts";
import type { ColumnType } from "../domain/table-schema.ts";

/** A requested change of one table's schema, and how far it is. */
export interface SchemaChange {
  readonly id: string;
  readonly dataset: DatasetId;
  readonly table: string;
  readonly state: "pending" | "done" | "failed";
  readonly fault: FaultRecord | null;
}

/** Schema changes that somebody asked for; a worker carries them out. */
export interface SchemaChanges {
  /**
   * Notes the change durably. Columns are matched by name with those there are: a known one keeps its id and takes the new type,
   * a new one is added, one that is not named goes. Throws `not_found`, and `wrong_state` while another change of the table is pending.
   */
  request(org: OrgId, dataset: DatasetId, table: string, wanted: WantedSchema): Promise<{ readonly id: string }>;
  /** Null when there is no such change in this org. */
  get(org: OrgId, id: string): Promise<SchemaChange | null>;
  /** The oldest pending change that nobody works on, leased; null: none. */
  take(leaseMs: number): Promise<PendingChange | null>;
  /** Notes the outcome: done, or failed with its fault. */
  finish(id: string, fault: FaultRecord | null): Promise<void>;
}

export interface PendingChange {
  readonly id: string;
  readonly org: OrgId;
  readonly dataset: DatasetId;
  readonly table: string;
  readonly wanted: WantedSchema;
}

/** Columns of a table as they shall be, names of those that go (any other stays as it is), and the most rejects that any file may have under them (null: what its own rules say). */
export interface WantedSchema {
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly drop: readonly string[];
  readonly maxRejects: MaxRejects | null;
}
