import type { MaxRejects } from "@sluice/core/domain/dataset";
import type { Fault, FaultRecord } from "@sluice/core/domain/fault";
import type { Reject } from "@sluice/core/domain/file";
import type { LoadRules } from "@sluice/core/domain/options";
import { type TableSchemas, typeName } from "@sluice/core/domain/table-schema";
import type { Detected } from "@sluice/core/ports/converter";
import type { Dataset, DatasetTotals, LivePart } from "@sluice/core/manage/datasets";
import type { FileRow, SyncRow } from "@sluice/core/manage/queries";
import type { SchemaChange } from "@sluice/core/manage/schema";
import type { TrashEntry } from "@sluice/core/manage/trash";

/** The JSON of /api/v1. Names are those of the domain; times are ISO 8601 in UTC; every object has an `id`. */

export function errorBody(fault: Fault): object {
  return { error: errorWire(fault.toRecord()) };
}

/** A fault as JSON: the same keys always, null where it names nothing. */
export function errorWire(fault: FaultRecord): object {
  return { code: fault.code, message: fault.message, field: fault.field ?? null, value: fault.value ?? null, limit: fault.limit ?? null };
}

export function datasetWire(dataset: Dataset, totals: DatasetTotals | null): object {
  return {
    id: dataset.id,
    path: dataset.path,
    ...rulesWire(dataset.rules),
    generation: dataset.generationNumber,
    version: dataset.version,
    schema_version: dataset.schemaVersion,
    tables: tablesWire(dataset.schemas),
    ...(totals ? { counts: { parts: totals.parts, rows: totals.rows, bytes: totals.bytes, opaque_files: totals.opaqueFiles } } : {}),
    created_at: time(dataset.createdAtMs),
  };
}

function rulesWire(rules: LoadRules): object {
  return { policy: rules.policy, on_bad_row: rules.onBadRow, max_rejects: maxRejectsWire(rules.maxRejects) };
}

/** As `max_rejects` is taken: a count, a share below 1, or a percentage. */
function maxRejectsWire(limit: MaxRejects): number | string {
  if ("rows" in limit) return limit.rows;
  return limit.share < 1 && limit.share > 0 ? limit.share : `${limit.share * 100}%`;
}

export function schemaWire(dataset: Dataset): object {
  return {
    id: dataset.id,
    schema_version: dataset.schemaVersion,
    generation: dataset.generationNumber,
    tables: tablesWire(dataset.schemas),
  };
}

function tablesWire(schemas: TableSchemas): readonly object[] {
  return Object.entries(schemas).map(([name, schema]) => ({
    name,
    columns: schema.columns.map((column) => ({ id: column.id, name: column.name, type: typeName(column.type), declared: column.declared })),
  }));
}

export function schemaChangeWire(change: SchemaChange): object {
  return {
    id: change.id,
    dataset: change.dataset,
    table: change.table,
    state: change.state,
    error: change.fault ? errorWire(change.fault) : null,
  };
}

export function partWire(part: LivePart, url: string): object {
  const { id, bytes, sha256, files } = part;
  if (part.kind === "opaque") return { id, name: part.name, url, bytes, sha256, files };
  return { id, table: part.table, url, rows: part.rows, bytes, sha256, files };
}

export function syncWire(sync: SyncRow): object {
  return {
    id: sync.id,
    name: sync.name,
    dataset: sync.dataset,
    path: sync.path,
    type: sync.type,
    state: sync.state,
    on_file_error: sync.onFileError,
    allow_empty: sync.allowEmpty,
    files: { total: sync.total, loaded: sync.loaded, stored: sync.stored, failed: sync.failed },
    message: sync.message,
    started_at: time(sync.startedAtMs),
    ended_at: time(sync.endedAtMs),
  };
}

export function fileWire(file: FileRow): object {
  return {
    id: file.id,
    history_no: file.historyNo,
    dataset: file.dataset,
    sync: file.sync,
    name: file.name,
    path: file.subPath === "" ? file.path : `${file.path}/${file.subPath}`,
    state: file.state,
    bytes: file.bytes,
    sha256: file.sha256,
    content_type: file.contentType,
    options: file.options,
    detected: file.detected && detectedWire(file.detected),
    rows: file.counts,
    progress: file.progress,
    attempts: file.attempts,
    strikes: file.strikes,
    lost_leases: file.lostLeases,
    raw_kept: !file.rawRemoved,
    error: file.fault ? errorWire(file.fault) : null,
    received_at: time(file.receivedAtMs),
    staged_at: time(file.stagedAtMs),
    claimed_at: time(file.claimedAtMs),
    finished_at: time(file.finishedAtMs),
  };
}

/** What was found out about a file, in the words of this surface. */
export function detectedWire({ headerRows, preambleRows, ...detected }: Detected): object {
  return {
    ...detected,
    ...(headerRows === undefined ? {} : { header_rows: headerRows }),
    ...(preambleRows === undefined ? {} : { preamble_rows: preambleRows }),
  };
}

export function rejectWire(reject: Reject): object {
  return {
    row: reject.row,
    byte_offset: reject.byteOffset,
    table: reject.table,
    column: reject.column,
    raw: reject.raw,
    reason: reject.reason,
  };
}

/** Rejects as csv (RFC 4180) with a header. */
export function rejectsCsv(rejects: readonly Reject[]): string {
  const cell = (value: string | number | null) => (typeof value === "string" ? `"${value.replaceAll('"', '""')}"` : (value ?? ""));
  const lines = rejects.map((reject) =>
    [reject.row, reject.byteOffset, reject.table, reject.column, reject.raw, reject.reason].map(cell).join(","),
  );
  return ["row,byte_offset,table,column,raw,reason", ...lines, ""].join("\r\n");
}

export function trashWire(entry: TrashEntry): object {
  return {
    id: entry.id,
    dataset: entry.dataset,
    path: entry.path,
    kind: entry.kind,
    state: entry.state,
    sync: entry.sync,
    rows: entry.rows,
    bytes: entry.bytes,
    created_at: time(entry.createdAtMs),
    expires_at: time(entry.expiresAtMs),
  };
}

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
