// A worker that ends itself with SIGKILL at the step that CRASH_AT names, the first time it comes there.
import { type Decorate, runWorker } from "../../apps/worker/src/run-worker.ts";
import { dieAfter, dieBefore, dieWithin } from "./die.ts";

const isPart = (key: string) => key.startsWith("lake/") && key.endsWith(".parquet");
const isCurrent = (key: string) => key.endsWith("/current.json");

/** Every step of the worker's door and of a sync's completion. Each must be survived: test/e2e/crashes.test.ts. */
export const WORKER_STEPS = {
  "before the claim": (deps) => ({ ...deps, work: dieBefore(deps.work, "claim") }),
  "after the claim": (deps) => ({ ...deps, work: dieAfter(deps.work, "claim", (file) => file !== null) }),
  "within a part": (deps) => ({
    ...deps,
    objects: { ...deps.objects, put: (key, source, options) => deps.objects.put(key, isPart(key) ? dieWithin(source) : source, options) },
  }),
  "after the part, before it is published": (deps) => ({
    ...deps,
    publication: dieBefore(deps.publication, "publishLoaded"),
  }),
  "after other parts were made again for a wider type, before all are published": (deps) => ({
    ...deps,
    publication: dieBefore(deps.publication, "publishLoaded", (loaded) => loaded.remade.length > 0),
  }),
  "after it is published, before the job is done": (deps) => ({
    ...deps,
    publication: dieAfter(deps.publication, "publishLoaded", (result) => result === "done"),
  }),
  "after an opaque file was copied, before it is published": (deps) => ({
    ...deps,
    publication: dieBefore(deps.publication, "publishStored"),
  }),
  "after an opaque file is published": (deps) => ({
    ...deps,
    publication: dieAfter(deps.publication, "publishStored"),
  }),
  "before a failure is recorded": (deps) => ({
    ...deps,
    publication: dieBefore(deps.publication, "publishFailed"),
  }),
  "after a failure is recorded": (deps) => ({
    ...deps,
    publication: dieAfter(deps.publication, "publishFailed"),
  }),
  "after files were marked as enqueued, before they are in the queue": (deps) => ({
    ...deps,
    work: dieAfter(deps.work, "takeDue", (jobs) => jobs.length > 0),
  }),
  "after files were put into the queue": (deps) => ({ ...deps, queue: dieAfter(deps.queue, "add") }),
  "after a file is done, before its sync is looked at": (deps) => ({
    ...deps,
    syncs: dieBefore(deps.syncs, "decide"),
  }),
  "after the swap, before current.json": (deps) => ({
    ...deps,
    syncs: dieAfter(deps.syncs, "decide", (step) => step.step === "decided"),
  }),
  "after current.json, before it is noted": (deps) => ({
    ...deps,
    objects: dieAfter(deps.objects, "put", (_stored, key) => isCurrent(key)),
  }),
  "after current.json, before the sync is closed": (deps) => ({ ...deps, syncs: dieBefore(deps.syncs, "close") }),
  "after the sync is closed": (deps) => ({ ...deps, syncs: dieAfter(deps.syncs, "close") }),
  "carrying over: after an epoch was minted": (deps) => ({
    ...deps,
    publication: dieAfter(deps.publication, "mintRemake"),
  }),
  "carrying over: all made again, before the swap": (deps) => ({
    ...deps,
    syncs: dieBefore(deps.syncs, "decide", (_sync, _days, remade) => remade !== undefined),
  }),
  "carrying over: after the swap": (deps) => ({
    ...deps,
    syncs: dieAfter(deps.syncs, "decide", (step, _sync, _days, remade) => step.step === "decided" && remade !== undefined),
  }),
} as const satisfies Record<string, Decorate>;

const step = process.env["CRASH_AT"];
if (step !== undefined) {
  const decorate = (WORKER_STEPS as Record<string, Decorate>)[step];
  if (!decorate) throw new Error(`no step of the worker is called ${step}`);
  await runWorker(process.env, decorate);
}
