import type { UploadFacts } from "../accept.ts";
import { type Caller, may } from "../domain/access.ts";
import { parsePath, subPath } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { SyncHead, Syncs } from "../ports/syncs.ts";
import type { UploadTarget } from "../ports/uploads.ts";

export interface ReceiveDeps {
  readonly syncs: Syncs;
  readonly catalog: Catalog;
}

/**
 * Decides whether an upload is allowed and where it goes. `early` checks what is known before the bytes and lets what is
 * missing pass (a form field may follow); `final` needs a sync or a dataset.
 * Throws `forbidden`, `missing_field`, `not_found`, `sync_closed`, `invalid_path`, `invalid_field`.
 */
export async function receive(deps: ReceiveDeps, caller: Caller, facts: UploadFacts, when: "early"): Promise<UploadTarget | null>;
export async function receive(deps: ReceiveDeps, caller: Caller, facts: UploadFacts, when: "final"): Promise<UploadTarget>;
export async function receive(
  deps: ReceiveDeps,
  caller: Caller,
  facts: UploadFacts,
  when: "early" | "final",
): Promise<UploadTarget | null> {
  if (!may(caller, "upload")) throw new Fault("forbidden", "this key may not upload: it needs the scope upload", { field: "api_key" });
  const path = facts.path === null ? null : parsePath(facts.path);
  if (facts.sync !== null) return targetOfSync(await openSync(deps, caller, facts.sync), path);
  if (facts.dataset !== null) return targetOfDataset(deps, caller, facts, path);
  if (when === "early") return null;
  throw new Fault("missing_field", "sync_id: is missing; start a sync first and send its id", { field: "sync_id" });
}

async function openSync(deps: ReceiveDeps, caller: Caller, id: NonNullable<UploadFacts["sync"]>): Promise<SyncHead> {
  const sync = await deps.syncs.head(caller.org, id);
  if (!sync) throw new Fault("not_found", `sync_id: there is no sync ${id}`, { field: "sync_id", value: id });
  if (sync.state !== "open") {
    throw new Fault("sync_closed", `sync_id: sync ${id} takes no more files, it is ${sync.state}`, { field: "sync_id", value: id });
  }
  return sync;
}

function targetOfSync(sync: SyncHead, path: string | null): UploadTarget {
  const below = path === null ? "" : subPath(sync.path, path);
  if (below === null) {
    throw new Fault("invalid_field", `path: must be the sync's own path ${sync.path} or lie beneath it`, { field: "path", value: path });
  }
  return { org: sync.org, dataset: sync.dataset, sync: sync.id, subPath: below };
}

async function targetOfDataset(deps: ReceiveDeps, caller: Caller, facts: UploadFacts, path: string | null): Promise<UploadTarget> {
  const dataset = facts.dataset === null ? null : await deps.catalog.byId(caller.org, facts.dataset);
  if (!dataset) throw new Fault("not_found", `dataset: there is no dataset ${facts.dataset}`, { field: "dataset", value: facts.dataset });
  const below = path === null ? "" : subPath(dataset.path, path);
  if (below === null)
    throw new Fault("invalid_field", `path: must be the dataset's path ${dataset.path} or lie beneath it`, { field: "path", value: path });
  return { org: caller.org, dataset: dataset.id, sync: await deps.syncs.implicit(caller.org, dataset.id), subPath: below };
}
