import { Fault } from "../domain/fault.ts";
import type { SyncId } from "../domain/ids.ts";
import type { CarryOver, Syncs } from "../ports/syncs.ts";
import type { RemakeSource } from "../ports/publication.ts";
import { removeQuietly } from "./attempt.ts";
import { type RemadeFile, remake, type RemakeDeps, stillFits } from "./remake.ts";
import { type CurrentDeps, writeCurrent } from "./write-current.ts";

export interface CompleteDeps extends RemakeDeps, CurrentDeps {
  readonly syncs: Syncs;
  readonly trashDays: number;
}

const ROUNDS = 20;

/**
 * Completes a sync when its files are all done: decides the outcome (a full sync is swapped in there), brings current.json up to
 * it, then shows it. Safe to run at any time, by any process, again after a crash at any step. True: it is closed now.
 */
export async function completeSync(deps: CompleteDeps, sync: SyncId, signal: AbortSignal): Promise<boolean> {
  let carried: Carried | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    signal.throwIfAborted();
    const step = await deps.syncs.decide(sync, deps.trashDays, carried?.given);
    if (carried && step.step === "carry") await removeQuietly(deps, carried.keys);
    switch (step.step) {
      case "not_ready":
        return false;
      case "closed":
        return true;
      case "decided":
        await writeCurrent(deps, step.dataset, true);
        await deps.syncs.close(sync);
        return true;
      case "carry":
        carried = await carryOver(deps, step.carry, signal);
    }
  }
  throw new Fault("internal", `what sync ${sync} carries over changed ${ROUNDS} times while it was completed`);
}

interface Carried {
  readonly given: NonNullable<Parameters<Syncs["decide"]>[2]>;
  readonly keys: readonly string[];
}

/**
 * Files that other syncs loaded meanwhile, made again under the new generation's schemas. First each may widen them; then whatever
 * was written under a narrower type, the sync's own files included, is made again under the final ones.
 */
async function carryOver(deps: CompleteDeps, carry: CarryOver, signal: AbortSignal): Promise<Carried> {
  const made = new Map<string, RemadeFile>();
  const sources = new Map<string, RemakeSource>(carry.remake.map((each) => [each.source.file, each.source]));
  const into = { path: carry.path, number: carry.number };
  let schemas = carry.schemas;
  for (const source of sources.values()) {
    const file = await remake(deps, source, { ...into, schemas }, "load", signal);
    made.set(source.file, file);
    schemas = file.schemas;
  }
  const stale: string[] = [];
  const again = new Map([...sources].filter(([file]) => !stillFits(made.get(file)?.schemas ?? {}, schemas)));
  for (const [table, schema] of Object.entries(schemas)) {
    for (const source of await deps.publication.toRemake(carry.generation, table, schema)) again.set(source.file, source);
  }
  for (const source of again.values()) {
    stale.push(...(made.get(source.file)?.keys ?? []));
    made.set(source.file, await remake(deps, source, { ...into, schemas }, "remake", signal));
  }
  await removeQuietly(deps, stale);
  const files = [...made.values()];
  return {
    given: { schemas, basedOn: carry.schemaVersion, files: files.map((file) => file.remade) },
    keys: files.flatMap((file) => file.keys),
  };
}
