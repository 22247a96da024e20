import { setTimeout as sleep } from "node:timers/promises";
import { Client, bodyOf } from "../client.ts";
import { csvOf, randomOf } from "../csv.ts";
import type { Group, Row } from "../row.ts";
import { startService } from "../service.ts";
import { quantile } from "../stats.ts";

const TRIALS = 20;
const FILE_BYTES = 10_000;

const P50: Row = { name: "idle to first row of a 10 KB file published, p50", unit: "ms", must: 300, aim: 100, better: "less" };
const P90: Row = { name: "idle to first row of a 10 KB file published, p90", unit: "ms", must: null, aim: null, better: "less" };

/** From the start of an upload to its answer with `wait`, which comes when readers see the file's rows. */
export const latency: readonly Group[] = [
  {
    title: "One small file at a time",
    rows: [P50, P90],
    run: async (bench) => {
      await using service = await startService();
      const client = new Client(service);
      const dataset = await client.post<{ id: string }>("/api/v1/datasets", { path: "/bench/latency" });
      const random = randomOf(7);
      const times: number[] = [];
      for (let trial = 0; trial < (bench.quick ? 5 : TRIALS); trial++) {
        // No fixed distance: it could fall into step with the housekeepers.
        await sleep(300 + random() * 700);
        const body = bodyOf(csvOf(trial + 1, FILE_BYTES));
        const started = performance.now();
        const path = `/api/v1/datasets/${dataset.id}/files?name=orders.csv&wait=30`;
        const file = await client.call<{ state: string }>("POST", path, body, "text/csv");
        times.push(performance.now() - started);
        if (file.state !== "loaded") throw new Error(`the file is ${file.state}`);
      }
      const note = times.map((ms) => ms.toFixed(0)).join(", ");
      if (bench.wants(P50)) bench.measured(P50, { ours: quantile(times, 0.5), peer: null, note });
      if (bench.wants(P90)) bench.measured(P90, { ours: quantile(times, 0.9), peer: null });
      client.close();
    },
  },
];
