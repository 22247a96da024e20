// An API that ends itself with SIGKILL at the step that CRASH_AT names, the first time it comes there.
import { type Decorate, runApi } from "../../apps/api/src/run-api.ts";
import { dieAfter, dieBefore, dieWithin } from "./die.ts";

const isRaw = (key: string) => key.startsWith("raw/");

/** Every step of the upload's door, and of a sync's beginning and end. Each must be survived: test/e2e/crashes.test.ts. */
export const API_STEPS = {
  "after the arrival was noted": (deps) => ({ ...deps, uploads: dieAfter(deps.uploads, "begin") }),
  "within the raw bytes": (deps) => ({
    ...deps,
    objects: { ...deps.objects, put: (key, source, options) => deps.objects.put(key, isRaw(key) ? dieWithin(source) : source, options) },
  }),
  "after the raw bytes, before the record": (deps) => ({ ...deps, uploads: dieBefore(deps.uploads, "commit") }),
  "after the record, before it is enqueued and answered": (deps) => ({
    ...deps,
    uploads: dieAfter(deps.uploads, "commit"),
  }),
  "after files were marked as enqueued, before they are in the queue": (deps) => ({
    ...deps,
    work: dieAfter(deps.work, "takeDue", (jobs) => jobs.length > 0),
  }),
  "after files were put into the queue": (deps) => ({ ...deps, queue: dieAfter(deps.queue, "add") }),
  "before a sync's end is recorded": (deps) => ({ ...deps, syncs: dieBefore(deps.syncs, "end") }),
  "after a sync's end is recorded": (deps) => ({ ...deps, syncs: dieAfter(deps.syncs, "end") }),
} as const satisfies Record<string, Decorate>;

const step = process.env["CRASH_AT"];
if (step !== undefined) {
  const decorate = (API_STEPS as Record<string, Decorate>)[step];
  if (!decorate) throw new Error(`no step of the API is called ${step}`);
  await runApi(process.env, decorate);
}
