import { INSPECTIONS } from "@sluice/core/domain/keys";
import type { Trash } from "@sluice/core/ports/catalog";
import type { Idempotency } from "@sluice/core/ports/idempotency";
import type { Inspections } from "@sluice/core/ports/inspections";
import type { ObjectStore } from "@sluice/core/ports/object-store";
import type { Uploads } from "@sluice/core/ports/uploads";

export interface JanitorDeps {
  readonly objects: ObjectStore;
  readonly trash: Trash;
  readonly uploads: Uploads;
  readonly idempotency: Idempotency;
  readonly inspections: Inspections;
  /** How long a part stays after the last reader's version that showed it. */
  readonly graceMs: number;
  /** Raw bytes are removed this long after their file is done; null: kept. */
  readonly rawMs: number | null;
  readonly now: () => number;
}

const DAY_MS = 86_400_000;
const BATCH = 500;
/** Longer than any upload of one may take and than its record lives. */
const INSPECTION_MS = 3_600_000;

/** Takes away what nobody can reach any more: abandoned uploads, expired trash, dead parts, expired raw bytes, leftovers of the store. */
export async function tidy(deps: JanitorDeps, signal: AbortSignal): Promise<void> {
  await forgetAbandoned(deps);
  await deps.idempotency.purge();
  await forgetInspections(deps, signal);
  await deps.trash.expire();
  await collectParts(deps, signal);
  if (deps.rawMs !== null) await removeRaw(deps, deps.rawMs, signal);
  await deps.objects.sweep(deps.now() - DAY_MS);
}

async function forgetAbandoned(deps: JanitorDeps): Promise<void> {
  const abandoned = await deps.uploads.abandon(DAY_MS);
  await deps.objects.remove(abandoned.map((file) => file.rawKey));
}

/** Expired dry runs, and the bytes of those that died before they were recorded. */
async function forgetInspections(deps: JanitorDeps, signal: AbortSignal): Promise<void> {
  await deps.objects.remove(await deps.inspections.expire());
  const old: string[] = [];
  for await (const { key, modifiedMs } of deps.objects.list(INSPECTIONS)) {
    signal.throwIfAborted();
    if (modifiedMs < deps.now() - INSPECTION_MS) old.push(key);
  }
  if (old.length > 0) await deps.objects.remove(old);
}

async function collectParts(deps: JanitorDeps, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const dead = await deps.trash.collectable(deps.graceMs, BATCH);
    if (dead.length === 0) return;
    // The object first: a crash in between removes it again, but never leaves one without a record.
    await deps.objects.remove(dead.filter((part) => part.last).map((part) => part.key));
    await deps.trash.collected(dead.map((part) => part.id));
  }
}

async function removeRaw(deps: JanitorDeps, rawMs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const expired = await deps.trash.expiredRaw(rawMs, BATCH);
    if (expired.length === 0) return;
    await deps.objects.remove(expired.map((file) => file.key));
  }
}

/** Where objects are that a record names. Pages of current.json are not: they are shared from version to version. */
const NAMED = [
  { prefix: "lake/", is: (key: string) => key.endsWith(".parquet") },
  { prefix: "files/", is: () => true },
  { prefix: "rejects/", is: () => true },
  { prefix: "raw/", is: () => true },
];

/**
 * Removes objects that no record names: what attempts and uploads left that died before they could say so.
 * An object must be a day old, so that what is on its way into the records is left alone.
 */
export async function collectOrphans(deps: JanitorDeps, signal: AbortSignal): Promise<number> {
  let removed = 0;
  for (const { prefix, is } of NAMED) {
    let batch: string[] = [];
    const flush = async () => {
      const unknown = await deps.trash.unknownKeys(batch);
      await deps.objects.remove(unknown);
      removed += unknown.length;
      batch = [];
    };
    for await (const { key, modifiedMs } of deps.objects.list(prefix)) {
      signal.throwIfAborted();
      if (!is(key) || modifiedMs > deps.now() - Math.max(deps.graceMs, DAY_MS)) continue;
      batch.push(key);
      if (batch.length === BATCH) await flush();
    }
    if (batch.length > 0) await flush();
  }
  return removed;
}
