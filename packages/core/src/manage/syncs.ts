import type { Caller } from "../domain/access.ts";
import { type MaxRejects, type OnBadRow, parsePath } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import type { Clock, SyncId } from "../domain/ids.ts";
import { DEFAULT_RULES } from "../domain/options.ts";
import type { OnFileError, SyncState, SyncType } from "../domain/sync.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { JobQueue } from "../ports/job-queue.ts";
import type { Syncs } from "../ports/syncs.ts";
import { requireScope } from "./access.ts";

export interface SyncDeps {
  readonly catalog: Catalog;
  readonly syncs: Syncs;
  readonly queue: JobQueue;
  readonly clock: Clock;
  /** Hours without an upload after which an open full sync expires. */
  readonly syncIdleHours: number;
  readonly onEnqueueError: (error: unknown) => void;
}

/** What starts a sync. What is null takes the dataset's rule, or the service's. */
export interface StartSync {
  readonly name: string;
  readonly path: string;
  readonly type: SyncType;
  readonly onFileError: OnFileError | null;
  readonly allowEmpty: boolean | null;
  readonly onBadRow: OnBadRow | null;
  readonly maxRejects: MaxRejects | null;
  /** Hours without an upload after which it expires; 0: never. */
  readonly timeoutHours: number | null;
}

export const MAX_SYNC_NAME = 1_000;
const HOUR_MS = 3_600_000;

/** Opens the dataset at the path (made when there is none) and a sync over it. Throws `invalid_path`, `path_conflict`. */
export async function startSync(deps: SyncDeps, caller: Caller, wanted: StartSync): Promise<SyncId> {
  requireScope(caller, "upload");
  if (wanted.name.length > MAX_SYNC_NAME) {
    throw new Fault("invalid_field", `name: is longer than ${MAX_SYNC_NAME} characters`, { field: "name", limit: MAX_SYNC_NAME });
  }
  if (wanted.name.includes("\0") || !wanted.name.isWellFormed()) {
    throw new Fault("invalid_field", "name: must be well-formed Unicode without NUL", { field: "name", value: wanted.name });
  }
  const path = parsePath(wanted.path);
  const { dataset } = await deps.catalog.open(caller.org, path, { rules: DEFAULT_RULES, declared: {} });
  const hours = wanted.timeoutHours ?? (wanted.type === "full" ? deps.syncIdleHours : 0);
  return deps.syncs.start({
    org: caller.org,
    dataset: dataset.id,
    name: wanted.name,
    type: wanted.type,
    onFileError: wanted.onFileError ?? "publish",
    allowEmpty: wanted.allowEmpty ?? false,
    onBadRow: wanted.onBadRow,
    maxRejects: wanted.maxRejects,
    idleMs: hours === 0 ? null : Math.round(hours * HOUR_MS),
  });
}

/** Freezes the sync's set of files; may be repeated. Throws `not_found`, `sync_closed`. */
export async function endSync(deps: SyncDeps, caller: Caller, sync: SyncId): Promise<SyncState> {
  requireScope(caller, "upload");
  const state = await deps.syncs.end(caller.org, sync);
  poke(deps, sync);
  return state;
}

/** Cancels the sync and fails its open files. Throws `not_found`, `sync_closed`. */
export async function cancelSync(deps: SyncDeps, caller: Caller, sync: SyncId): Promise<void> {
  requireScope(caller, "upload");
  await deps.syncs.cancel(caller.org, sync);
  poke(deps, sync);
}

/** Has a worker look at the sync soon. The records know it is due, so a lost poke costs only time. */
function poke(deps: SyncDeps, sync: SyncId): void {
  const token = Buffer.from(deps.clock.random(8)).toString("hex");
  deps.queue.add([{ kind: "sync", sync, token }]).catch(deps.onEnqueueError);
}
