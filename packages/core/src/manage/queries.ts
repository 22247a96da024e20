import type { Caller } from "../domain/access.ts";
import { Fault } from "../domain/fault.ts";
import type { Reject } from "../domain/file.ts";
import type { FileId, SyncId } from "../domain/ids.ts";
import { type EnqueueDeps, enqueue } from "../flow/enqueue.ts";
import type { FileQuery, FileRow, History, SyncQuery, SyncRow } from "../ports/history.ts";
import { requireScope } from "./access.ts";

export type { FileQuery, FileRow, SyncQuery, SyncRow };

export interface QueryDeps {
  readonly history: History;
}

export async function listSyncs(deps: QueryDeps, caller: Caller, query: Omit<SyncQuery, "org">): Promise<readonly SyncRow[]> {
  requireScope(caller, "read");
  return deps.history.syncs({ ...query, org: caller.org });
}

/** Throws `not_found`. */
export async function getSync(deps: QueryDeps, caller: Caller, id: SyncId): Promise<SyncRow> {
  requireScope(caller, "read");
  const sync = await deps.history.sync(caller.org, id);
  if (!sync) throw new Fault("not_found", `sync: there is no sync ${id}`, { field: "sync", value: id });
  return sync;
}

export async function listFiles(deps: QueryDeps, caller: Caller, query: Omit<FileQuery, "org">): Promise<readonly FileRow[]> {
  requireScope(caller, "read");
  return deps.history.files({ ...query, org: caller.org });
}

/** Throws `not_found`, also for a file that was never acknowledged. */
export async function getFile(deps: QueryDeps, caller: Caller, id: FileId): Promise<FileRow> {
  requireScope(caller, "read");
  return known(await deps.history.file(caller.org, id), id);
}

/** The file once it is finished, or as it is when the time is over. The uploader may ask about its own file without `read`. */
export async function waitForFile(deps: QueryDeps, caller: Caller, id: FileId, timeoutMs: number, signal: AbortSignal): Promise<FileRow> {
  return known(await deps.history.waitFor(caller.org, id, timeoutMs, signal), id);
}

/** The first 100. */
export async function fileRejects(deps: QueryDeps, file: FileRow): Promise<readonly Reject[]> {
  return deps.history.rejects(file.id);
}

/** Makes a failed file due again. Throws `not_found`, `wrong_state`, `raw_gone`. */
export async function retryFile(deps: QueryDeps & EnqueueDeps, caller: Caller, id: FileId): Promise<FileRow> {
  requireScope(caller, "upload");
  await deps.history.retry(caller.org, id);
  enqueue(deps, caller.org);
  return known(await deps.history.file(caller.org, id), id);
}

function known(file: FileRow | null, id: FileId): FileRow {
  if (file) return file;
  throw new Fault("not_found", `file: there is no file ${id}`, { field: "file", value: id });
}
