import type { FaultRecord } from "../domain/fault.ts";
import type { DatasetId, InspectionId, OrgId } from "../domain/ids.ts";
import type { FileOptions, LoadRules } from "../domain/options.ts";
import type { Inspection } from "./converter.ts";

/** Bytes to be looked at, kept under `raw/tmp/` for as long as the record lives. */
export interface NewInspection {
  readonly id: InspectionId;
  readonly org: OrgId;
  readonly name: string;
  readonly rawKey: string;
  readonly bytes: number;
  readonly options: FileOptions;
  /** Rules asked for by this request alone. */
  readonly rules: Partial<LoadRules>;
  /** Whose schema the file is compared with; null: none. */
  readonly dataset: DatasetId | null;
}

export type InspectionState = "waiting" | "running" | "done" | "failed";

export interface InspectionRow extends NewInspection {
  readonly state: InspectionState;
  readonly attempts: number;
  readonly report: Inspection | null;
  readonly fault: FaultRecord | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** Dry runs: what they ask and what they found. Nothing of them outlives ten minutes. */
export interface Inspections {
  begin(inspection: NewInspection): Promise<void>;
  /** Null once it expired. */
  get(org: OrgId, id: InspectionId): Promise<InspectionRow | null>;
  /** Takes one that waits, or whose worker has been silent for `leaseMs`; null when another has it, or it is over. */
  claim(id: InspectionId, leaseMs: number): Promise<InspectionRow | null>;
  /** Records the outcome; the raw bytes may go. Nothing happens when it expired meanwhile. */
  finish(id: InspectionId, found: { readonly report: Inspection } | { readonly fault: FaultRecord }): Promise<void>;
  /** Forgets the expired ones; the keys of their bytes. */
  expire(): Promise<readonly string[]>;
}
