import type { UploadFacts } from "@sluice/core/accept";
import { parsePath } from "@sluice/core/domain/dataset";
import { Fault } from "@sluice/core/domain/fault";
import { type FileState, OPEN_FILE_STATES } from "@sluice/core/domain/file";
import { parseCounter, type SyncId } from "@sluice/core/domain/ids";
import { oneOf } from "@sluice/core/domain/options";
import type { SyncState, SyncType } from "@sluice/core/domain/sync";
import type { StartSync } from "@sluice/core/manage/syncs";
import type { FileQuery, FileRow, SyncQuery, SyncRow } from "@sluice/core/manage/queries";
import { boolOf, type JsonObject, numberOf, textOf, wrongType } from "../../http/json.ts";
import { LOAD_FIELDS, loadFields, rulesOf } from "../../http/load-fields.ts";
import { MAX_FROM, MAX_LIMIT } from "../../http/page.ts";
import { type Fields, intField } from "../../http/query.ts";

/** Words of this dialect, and nothing else knows them: sync_type, sync_status, history_id. */
const STATUSES = ["Syncing", "Finished", "Failed"] as const;
type Status = (typeof STATUSES)[number];

/** The samples' spelling and the parameter table's. */
const SYNC_TYPES = ["FullSync", "IncrementalSync", "Full Sync", "Incremental Sync"] as const;

export const START_FIELDS = [
  "name",
  "path",
  "api_key",
  "sync_type",
  "on_file_error",
  "allow_empty",
  "on_bad_row",
  "max_rejects",
  "timeout_hours",
] as const;
export const END_FIELDS = ["sync_id", "api_key"] as const;
export const UPLOAD_FIELDS = ["path", "sync_id", ...LOAD_FIELDS] as const;
export const LIST_FIELDS = ["from", "size", "sync_id", "sync_status", "path", "file_name", "sort"] as const;
export const HISTORY_FIELDS = LIST_FIELDS;

const DEFAULT_SIZE = 10;
const MAX_TIMEOUT_HOURS = 24 * 366;

/** Errors of this dialect: the code is the HTTP status, so it is never 0. */
/** This dialect has one text for all: the value is said in it where the message does not say it. */
export function errorBody(fault: Fault): { readonly code: number; readonly msg: string } {
  const { message, value } = fault.toRecord();
  const said = value === undefined || value === null || value === "" || message.includes(String(value));
  return { code: fault.status, msg: said ? message : `${message} (it is ${JSON.stringify(value)})` };
}

/** The key in a JSON body, when there is one. Throws `invalid_field`. */
export function bodyKeyOf(body: JsonObject): string | null {
  const key = body["api_key"];
  if (key === undefined || key === null) return null;
  if (typeof key === "string") return key;
  throw new Fault("invalid_field", "api_key: must be a text", { field: "api_key" });
}

export function startOf(body: JsonObject): StartSync {
  const rules = rulesOf({ on_bad_row: body["on_bad_row"] ?? undefined, max_rejects: body["max_rejects"] ?? undefined });
  const onFileError = body["on_file_error"] ?? null;
  return {
    name: textOf(body, "name"),
    path: parsePath(textOf(body, "path")),
    type: syncTypeOf(textOf(body, "sync_type")),
    onFileError: onFileError === null ? null : oneOf(["publish", "keep_old"], onFileError, "on_file_error"),
    allowEmpty: boolOf(body, "allow_empty"),
    onBadRow: rules.onBadRow ?? null,
    maxRejects: rules.maxRejects ?? null,
    timeoutHours: numberOf(body, "timeout_hours", 0, MAX_TIMEOUT_HOURS),
  };
}

function syncTypeOf(text: string): SyncType {
  return oneOf(SYNC_TYPES, text, "sync_type").startsWith("Full") ? "full" : "incremental";
}

/** A sync's id as the reference has it (a number) or as a numeric text. Throws `missing_field`, `invalid_field`. */
export function syncIdOf(value: unknown): SyncId {
  if (value === undefined || value === null || value === "") {
    throw new Fault("missing_field", "sync_id: is missing; start a sync first and send its id", { field: "sync_id" });
  }
  const id = typeof value === "number" || typeof value === "string" ? parseCounter<SyncId>(value) : null;
  if (id === null) throw wrongType("sync_id", "a whole number from 0", value);
  return id;
}

/** What the query, or query and form, say about an upload. */
export function uploadFactsOf(fields: Fields): UploadFacts {
  const sync = fields.get("sync_id");
  const path = fields.get("path");
  return {
    sync: sync === undefined ? null : syncIdOf(sync),
    dataset: null,
    path: path === undefined ? null : parsePath(path),
    ...loadFields(fields),
  };
}

const SYNC_SORT_FIELDS = {
  sync_id: "id",
  name: "name",
  path: "path",
  sync_type: "type",
  sync_status: "state",
  start_time: "started",
  end_time: "ended",
  total_files: "total",
  num_failed: "failed",
} as const satisfies Record<string, SyncQuery["sort"]>;

const HISTORY_SORT_FIELDS = {
  history_id: "id",
  sync_id: "sync",
  file_name: "name",
  sync_status: "state",
  start_time: "started",
  end_time: "ended",
  message: "message",
} as const satisfies Record<string, FileQuery["sort"]>;

export function listQueryOf(query: Fields): Omit<SyncQuery, "org"> {
  const status = statusOf(query);
  const fileName = query.get("file_name");
  return {
    ...pageOf(query),
    ...sortOf(query, SYNC_SORT_FIELDS, "sync_id"),
    ...filtersOf(query),
    ...(fileName === undefined ? {} : { fileName }),
    ...(status ? { states: syncStates(status) } : {}),
  };
}

export function historyQueryOf(query: Fields): Omit<FileQuery, "org"> {
  const status = statusOf(query);
  const name = query.get("file_name");
  return {
    ...pageOf(query),
    ...sortOf(query, HISTORY_SORT_FIELDS, "history_id"),
    ...filtersOf(query),
    ...(name === undefined ? {} : { name }),
    ...(status ? { states: fileStates(status) } : {}),
  };
}

function pageOf(query: Fields): { readonly offset: number; readonly limit: number } {
  return {
    offset: intField(query, "from", { fallback: 0, min: 0, max: MAX_FROM }),
    limit: intField(query, "size", { fallback: DEFAULT_SIZE, min: 0, max: MAX_LIMIT }),
  };
}

function filtersOf(query: Fields): { readonly sync?: SyncId; readonly path?: string } {
  const sync = query.get("sync_id");
  const path = query.get("path");
  return { ...(sync === undefined ? {} : { sync: syncIdOf(sync) }), ...(path === undefined ? {} : { path: parsePath(path) }) };
}

function statusOf(query: Fields): Status | null {
  const status = query.get("sync_status");
  return status === undefined ? null : oneOf(STATUSES, status, "sync_status");
}

function sortOf<Sort extends string>(
  query: Fields,
  names: Readonly<Record<string, Sort>>,
  fallback: string,
): { readonly sort: Sort; readonly descending: boolean } {
  const text = query.get("sort") ?? fallback;
  const descending = text.startsWith("-");
  const name = oneOf(Object.keys(names), descending ? text.slice(1) : text, "sort");
  const sort = names[name];
  if (sort === undefined) throw new Error(`no sort named ${name}`);
  return { sort, descending };
}

export function syncStates(status: Status): readonly SyncState[] {
  switch (status) {
    case "Syncing":
      return ["open", "ending"];
    case "Finished":
      return ["finished"];
    case "Failed":
      return ["failed", "expired", "cancelled", "superseded"];
  }
}

export function fileStates(status: Status): readonly FileState[] {
  switch (status) {
    case "Syncing":
      return OPEN_FILE_STATES;
    case "Finished":
      return ["loaded", "stored"];
    case "Failed":
      return ["failed"];
  }
}

function statusWord(is: (status: Status) => boolean): Status {
  const word = STATUSES.find(is);
  if (word === undefined) throw new Error("a state without a word on this surface was listed");
  return word;
}

/** A sync as sync/list shows it. Times are epoch milliseconds, `end_time` 0 while it is open. */
export function syncWire(sync: SyncRow): object {
  return {
    org_id: sync.org,
    sync_id: sync.id,
    name: sync.name,
    path: sync.path,
    sync_type: sync.type === "full" ? "FullSync" : "IncrementalSync",
    sync_status: statusWord((status) => syncStates(status).includes(sync.state)),
    start_time: Math.floor(sync.startedAtMs),
    end_time: Math.floor(sync.endedAtMs ?? 0),
    total_files: sync.total,
    num_failed: sync.failed,
  };
}

/** A file that loaded without some of its rows says so: nothing is left out in silence. */
function rejectedMessage({ counts }: FileRow): string {
  return counts.rejected === 0 ? "" : `${counts.rejected} of ${counts.read} rows were rejected`;
}

/** A file as sync/history shows it. */
export function historyWire(file: FileRow): object {
  return {
    org_id: file.org,
    history_id: file.historyNo,
    sync_id: file.sync,
    file_name: file.name,
    start_time: Math.floor(file.receivedAtMs),
    end_time: Math.floor(file.finishedAtMs ?? 0),
    sync_status: statusWord((status) => fileStates(status).includes(file.state)),
    message: file.fault?.message ?? rejectedMessage(file),
  };
}
