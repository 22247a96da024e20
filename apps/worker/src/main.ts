import { CONFIG_EXIT_CODE, ConfigError } from "@sluice/core/config";
import { pino } from "pino";
import { runWorker } from "./run-worker.ts";

try {
  await runWorker(process.env);
  process.exit(0);
} catch (error) {
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(CONFIG_EXIT_CODE);
  }
  // Written at once: see run-worker.ts.
  pino({ base: { service: "worker" } }, pino.destination({ dest: 1, sync: true })).fatal({ err: error }, "the worker could not go on");
  process.exit(1);
}
