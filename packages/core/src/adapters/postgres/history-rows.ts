import { type RawBuilder, sql } from "kysely";
import type { FaultRecord } from "../../domain/fault.ts";
import type { FileState } from "../../domain/file.ts";
import type { DatasetId, FileId, HistoryNo, OrgId, SyncId } from "../../domain/ids.ts";
import type { OnFileError, SyncState, SyncType } from "../../domain/sync.ts";
import type { Detected } from "../../ports/converter.ts";
import type { FileQuery, FileRow, SyncQuery, SyncRow } from "../../ports/history.ts";

export interface SyncRecord {
  id: SyncId;
  org_id: OrgId;
  dataset_id: DatasetId;
  name: string;
  path: string;
  type: SyncType;
  state: SyncState;
  implicit: boolean;
  on_file_error: OnFileError;
  allow_empty: boolean;
  message: string;
  started_at: number;
  ended_at: number | null;
  total: number;
  failed: number;
  loaded: number;
  stored: number;
}

const SYNC_COLUMNS = sql`s.id, s.org_id, s.dataset_id, s.name, s.path, s.type, s.state, s.implicit, s.on_file_error, s.allow_empty, s.message, s.started_at, s.ended_at`;
const COUNTS = sql`coalesce(c.total, 0) AS total, coalesce(c.failed, 0) AS failed, coalesce(c.loaded, 0) AS loaded, coalesce(c.stored, 0) AS stored`;
const COUNTS_OF_S = sql`LEFT JOIN LATERAL (SELECT sum(total)::bigint AS total, sum(failed)::bigint AS failed, sum(loaded)::bigint AS loaded, sum(stored)::bigint AS stored
  FROM sync_counts WHERE sync_id = s.id) c ON true`;

export const SYNCS = sql`SELECT ${SYNC_COLUMNS}, ${COUNTS} FROM syncs s ${COUNTS_OF_S}`;

export const toSync = (found: SyncRecord): SyncRow => ({
  id: found.id,
  org: found.org_id,
  dataset: found.dataset_id,
  name: found.name,
  path: found.path,
  type: found.type,
  state: found.state,
  implicit: found.implicit,
  onFileError: found.on_file_error,
  allowEmpty: found.allow_empty,
  message: found.message,
  startedAtMs: found.started_at,
  endedAtMs: found.ended_at,
  total: found.total,
  failed: found.failed,
  loaded: found.loaded,
  stored: found.stored,
});

const SYNC_SORTED_BY: Record<SyncQuery["sort"], string> = {
  id: "s.id",
  name: "s.name",
  path: "s.path",
  type: "s.type",
  state: "s.state",
  started: "s.started_at",
  ended: "s.ended_at",
  total: "total",
  failed: "failed",
};

/** A page of syncs. Where the order needs no totals they are looked up for the page alone. */
export function syncQuery(query: SyncQuery): RawBuilder<SyncRecord> {
  const where = [sql`s.org_id = ${query.org}`, sql`NOT s.implicit`];
  if (query.sync !== undefined) where.push(sql`s.id = ${query.sync}`);
  if (query.path !== undefined) where.push(sql`s.path = ${query.path}`);
  if (query.fileName !== undefined) {
    where.push(
      sql`s.id IN (SELECT sync_id FROM files WHERE org_id = ${query.org} AND name = ${query.fileName} AND history_no IS NOT NULL)`,
    );
  }
  if (query.states) where.push(sql`s.state = ANY(${[...query.states]})`);
  if (query.after !== undefined) where.push(query.descending ? sql`s.id < ${query.after}` : sql`s.id > ${query.after}`);
  const order = ordering(SYNC_SORTED_BY[query.sort], "s.id", query.descending);
  const page = sql`LIMIT ${query.limit} OFFSET ${query.offset ?? 0}`;
  const all = sql.join(where, sql` AND `);
  if (query.sort === "total" || query.sort === "failed") return sql<SyncRecord>`${SYNCS} WHERE ${all} ${order} ${page}`;
  return sql<SyncRecord>`SELECT ${SYNC_COLUMNS}, ${COUNTS} FROM (SELECT * FROM syncs s WHERE ${all} ${order} ${page}) s ${COUNTS_OF_S} ${order}`;
}

/** Ties are broken by id in the same direction, so that an order is total and pages neither repeat nor miss. */
function ordering(column: string, id: string, descending: boolean): RawBuilder<unknown> {
  const direction = sql.raw(descending ? "DESC" : "ASC");
  const nulls = sql.raw(descending ? "NULLS LAST" : "NULLS FIRST");
  if (column === id) return sql`ORDER BY ${sql.raw(id)} ${direction}`;
  return sql`ORDER BY ${sql.raw(column)} ${direction} ${nulls}, ${sql.raw(id)} ${direction}`;
}

export interface FileRecord {
  id: FileId;
  org_id: OrgId;
  dataset_id: DatasetId;
  sync_id: SyncId;
  history_no: HistoryNo;
  name: string;
  sub_path: string;
  path: string;
  state: FileState;
  attempts: number;
  strikes: number;
  lost_leases: number;
  bytes: number;
  sha256: string;
  content_type: string | null;
  raw_key: string;
  raw_removed: boolean;
  options: Record<string, unknown>;
  detected: Detected | null;
  rows_read: number;
  rows_loaded: number;
  rows_rejected: number;
  rows_skipped: number;
  warnings: number;
  progress_rows: number;
  progress_bytes: number;
  rejects_key: string | null;
  fault: FaultRecord | null;
  received_at: number;
  staged_at: number;
  claimed_at: number | null;
  finished_at: number | null;
}

const FILE_COLUMNS = sql`f.id, f.org_id, f.dataset_id, f.sync_id, f.history_no, f.name, f.sub_path, d.path, f.state, f.attempts, f.strikes, f.lost_leases, f.bytes, f.sha256,
  f.content_type, f.raw_key, f.raw_removed_at IS NOT NULL AS raw_removed, f.options, f.detected, f.rows_read, f.rows_loaded, f.rows_rejected, f.rows_skipped, f.warnings,
  f.progress_rows, f.progress_bytes, f.rejects_key, f.fault, f.received_at, f.staged_at, f.claimed_at, f.finished_at`;

export const FILES = sql`SELECT ${FILE_COLUMNS} FROM files f JOIN datasets d ON d.id = f.dataset_id`;

export const toFile = (found: FileRecord): FileRow => ({
  id: found.id,
  org: found.org_id,
  dataset: found.dataset_id,
  sync: found.sync_id,
  historyNo: found.history_no,
  name: found.name,
  subPath: found.sub_path,
  path: found.path,
  state: found.state,
  attempts: found.attempts,
  strikes: found.strikes,
  lostLeases: found.lost_leases,
  bytes: found.bytes,
  sha256: found.sha256,
  contentType: found.content_type,
  rawKey: found.raw_key,
  rawRemoved: found.raw_removed,
  options: found.options,
  detected: found.detected,
  counts: {
    read: found.rows_read,
    loaded: found.rows_loaded,
    rejected: found.rows_rejected,
    skipped: found.rows_skipped,
    warnings: found.warnings,
  },
  progress: { rows: found.progress_rows, bytes: found.progress_bytes },
  rejectsKey: found.rejects_key,
  fault: found.fault,
  receivedAtMs: found.received_at,
  stagedAtMs: found.staged_at,
  claimedAtMs: found.claimed_at,
  finishedAtMs: found.finished_at,
});

const FILE_SORTED_BY: Record<FileQuery["sort"], string> = {
  id: "f.history_no",
  sync: "f.sync_id",
  name: "f.name",
  state: "f.state",
  started: "f.received_at",
  ended: "f.finished_at",
  message: "f.fault ->> 'message'",
};

/** A page of the history: acknowledged files only. The path asks for the dataset itself or for a folder below it. */
export function fileQuery(query: FileQuery): RawBuilder<FileRecord> {
  const where = [sql`f.org_id = ${query.org}`, sql`f.history_no IS NOT NULL`];
  if (query.sync !== undefined) where.push(sql`f.sync_id = ${query.sync}`);
  if (query.dataset !== undefined) where.push(sql`f.dataset_id = ${query.dataset}`);
  if (query.name !== undefined) where.push(sql`f.name = ${query.name}`);
  if (query.states) where.push(sql`f.state = ANY(${[...query.states]})`);
  if (query.path !== undefined) where.push(inPath(query.org, query.path));
  if (query.after !== undefined) where.push(query.descending ? sql`f.history_no < ${query.after}` : sql`f.history_no > ${query.after}`);
  const order = ordering(FILE_SORTED_BY[query.sort], "f.history_no", query.descending);
  return sql<FileRecord>`SELECT ${FILE_COLUMNS} FROM (SELECT * FROM files f WHERE ${sql.join(where, sql` AND `)} ${order} LIMIT ${query.limit} OFFSET ${query.offset ?? 0}) f
    JOIN datasets d ON d.id = f.dataset_id ${order}`;
}

/** Files of the dataset at this path; or, where the path lies inside a dataset, those with that sub-path or beneath it. */
function inPath(org: OrgId, path: string): RawBuilder<unknown> {
  return sql`f.dataset_id IN (SELECT id FROM datasets WHERE org_id = ${org} AND (path = ${path} OR starts_with(${path}, path || '/')))
    AND EXISTS (SELECT 1 FROM datasets x WHERE x.id = f.dataset_id AND (x.path = ${path} OR x.path || '/' || f.sub_path = ${path} OR starts_with(x.path || '/' || f.sub_path, ${`${path}/`})))`;
}
