// The peer: a worker with BullMQ's defaults and no records. It publishes a job by appending its name to a file.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { Worker } from "bullmq";
import { chaosOf } from "./chaos-settings.ts";
import { share } from "./seeded.ts";

const chaos = chaosOf(process.env);
const published = process.env["NAIVE_PUBLISHED"] ?? "";
/** Not given: BullMQ's own 30 s for both. */
const lockMs = Number(process.env["NAIVE_LOCK_MS"] ?? 30_000);
let attempts = 0;

const worker = new Worker<{ name: string }>(
  "naive",
  async (job) => {
    const id = [chaos.seed, job.data.name, ++attempts, process.pid] as const;
    await new Promise((resolve) => setTimeout(resolve, chaos.jobMs * (0.5 + share("ms", ...id))));
    if (share("blocks", ...id) < chaos.blockShare) {
      process.stdout.write(`${JSON.stringify({ msg: "blocked", ms: chaos.blockMs })}\n`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, chaos.blockMs);
    }
    appendFileSync(published, `${job.data.name}\n`);
  },
  {
    connection: { url: process.env["REDIS_URL"] ?? "", maxRetriesPerRequest: null } as never,
    concurrency: Number(process.env["SLUICE_WORKER_CONCURRENCY"]),
    lockDuration: lockMs,
    stalledInterval: lockMs,
  },
);
worker.on("error", () => undefined);
await worker.waitUntilReady();

const server = createServer((_request, response) => response.end("{}"));
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  console.log(JSON.stringify({ msg: "listening", port: typeof address === "object" ? address?.port : 0 }));
});
process.on("SIGTERM", () => process.exit(0));
