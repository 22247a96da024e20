import { setTimeout as sleep } from "node:timers/promises";
import type { IncomingFile } from "./accept.ts";
import type { Caller } from "./domain/access.ts";
import { parseFileName } from "./domain/dataset.ts";
import { Fault } from "./domain/fault.ts";
import { type Clock, type DatasetId, type InspectionId, newId } from "./domain/ids.ts";
import { inspectionKey } from "./domain/keys.ts";
import type { FileOptions, LoadRules } from "./domain/options.ts";
import { requireScope } from "./manage/access.ts";
import type { Catalog } from "./ports/catalog.ts";
import type { InspectionRow, Inspections } from "./ports/inspections.ts";
import type { JobQueue } from "./ports/job-queue.ts";
import type { ObjectStore } from "./ports/object-store.ts";

export interface InspectDeps {
  readonly objects: ObjectStore;
  readonly inspections: Inspections;
  readonly catalog: Catalog;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly onEnqueueError: (error: unknown) => void;
  readonly onLeftover: (error: unknown, keys: readonly string[]) => void;
}

/** A file to be looked at, and how it would be loaded. `dataset` null: compared with nothing. */
export interface InspectFacts {
  readonly dataset: DatasetId | null;
  readonly options: FileOptions;
  readonly rules: Partial<LoadRules>;
}

/**
 * The door of dry runs: keeps the bytes under `raw/tmp/` for minutes and asks a worker to look at them. `facts` is called once
 * the file's bytes are in. Throws `no_file`, `empty_file`, `not_found` for the dataset, and what the body or the store throws.
 */
export async function inspect(
  deps: InspectDeps,
  caller: Caller,
  files: AsyncIterable<IncomingFile>,
  facts: () => InspectFacts,
  signal: AbortSignal,
): Promise<InspectionId> {
  requireScope(caller, "upload");
  const id = newId<InspectionId>(deps.clock);
  const rawKey = inspectionKey(caller.org, id);
  let file: { name: string; bytes: number } | null = null;
  try {
    for await (const incoming of files) {
      if (file !== null) throw new Fault("invalid_field", "file: one file is looked at at a time", { field: "file", limit: 1 });
      const name = parseFileName(incoming.name);
      const hint = incoming.sizeHint === null ? {} : { bytes: incoming.sizeHint };
      const { bytes } = await deps.objects.put(rawKey, incoming.bytes, { signal, ...hint });
      if (bytes === 0) throw new Fault("empty_file", `file: ${name} is empty (0 bytes)`, { field: "file", value: name });
      file = { name, bytes };
    }
    if (file === null) throw new Fault("no_file", "file: the request carries no file", { field: "file" });
    const { dataset, options, rules } = facts();
    if (dataset !== null && (await deps.catalog.byId(caller.org, dataset)) === null) {
      throw new Fault("not_found", `dataset: there is no dataset ${dataset}`, { field: "dataset", value: dataset });
    }
    await deps.inspections.begin({ id, org: caller.org, rawKey, ...file, options, rules, dataset });
  } catch (error) {
    await deps.objects.remove([rawKey]).catch((leftover: unknown) => deps.onLeftover(leftover, [rawKey]));
    throw error;
  }
  await enqueue(deps, id);
  return id;
}

async function enqueue(deps: InspectDeps, inspection: InspectionId): Promise<void> {
  await deps.queue.add([{ kind: "inspection", inspection }]).catch(deps.onEnqueueError);
}

const FIRST_POLL_MS = 10;
const LAST_POLL_MS = 250;
/** One that nobody took for this long is added to the queue once more: the queue may have lost it. */
const AGAIN_MS = 2_000;

/** The dry run once it is over, or as it is when the time is up. Throws `not_found` for one that expired or was never asked for. */
export async function waitForInspection(
  deps: InspectDeps,
  caller: Caller,
  id: InspectionId,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<InspectionRow> {
  requireScope(caller, "upload");
  const until = performance.now() + timeoutMs;
  let again = performance.now() + AGAIN_MS;
  for (let wait = FIRST_POLL_MS; ; wait = Math.min(LAST_POLL_MS, wait * 1.5)) {
    const found = await deps.inspections.get(caller.org, id);
    if (!found) throw new Fault("not_found", `inspection: there is no inspection ${id}; they are kept for ten minutes`, { value: id });
    if (found.state === "done" || found.state === "failed") return found;
    const late = deps.clock.now() - found.createdAtMs > AGAIN_MS;
    if (late && performance.now() > again - (timeoutMs === 0 ? AGAIN_MS : 0)) {
      await enqueue(deps, id);
      again = performance.now() + AGAIN_MS;
    }
    if (signal.aborted || performance.now() + wait > until) return found;
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}
