// A worker whose jobs take their time, and some of which stop the event loop past the lease: no heartbeat, no lock renewed.
import { type Decorate, runWorker } from "../../apps/worker/src/run-worker.ts";
import { chaosOf } from "./chaos-settings.ts";
import { share } from "./seeded.ts";

const chaos = chaosOf(process.env);

/** Blocks the whole process, as a busy loop does, but leaves the core to the other workers. Says so first: it may be killed meanwhile. */
function block(ms: number): void {
  process.stdout.write(`${JSON.stringify({ msg: "blocked", ms })}\n`);
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
      return outcome;
    },
  },
});

await runWorker(process.env, decorate);
