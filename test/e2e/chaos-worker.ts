// A worker whose jobs take their time, and some of which stop the event loop past the lease: no heartbeat, no lock renewed.
import { performance } from "node:perf_hooks";
import { type Decorate, runWorker } from "../../apps/worker/src/run-worker.ts";
import { chaosOf } from "./chaos-settings.ts";
import { share } from "./seeded.ts";

const chaos = chaosOf(process.env);

/** Blocks the whole process, as a busy loop does, but leaves the core to the other workers. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

let attempts = 0;

const decorate: Decorate = (deps) => ({
  ...deps,
  converter: {
    convert: async (request, io, signal) => {
      const id = [chaos.seed, request.name, request.file, ++attempts, process.pid] as const;
      await new Promise((resolve) => setTimeout(resolve, chaos.jobMs * (0.5 + share("ms", ...id))));
      const blocks = share("blocks", ...id) < chaos.blockShare;
      const early = share("early", ...id) < 0.5;
      if (blocks && early) block(chaos.blockMs);
      const outcome = await deps.converter.convert(request, io, signal);
      // The worst moment: the parts are written, the lease is over, and this attempt is about to publish.
      if (blocks && !early) block(chaos.blockMs);
      if (blocks) console.log(JSON.stringify({ msg: "blocked", file: request.name, atMs: performance.now() }));
      return outcome;
    },
  },
});

await runWorker(process.env, decorate);
