import { CONFIG_EXIT_CODE, ConfigError } from "@sluice/core/config";
import { runApi } from "./run-api.ts";

try {
  await runApi(process.env);
  process.exit(0);
} catch (error) {
  // Anything else is a bug, or a database that cannot be ours; the supervisor starts the process again.
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(CONFIG_EXIT_CODE);
}
