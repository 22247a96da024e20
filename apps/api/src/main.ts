import { setFlagsFromString } from "node:v8";

// A streamed upload leaves nothing but young garbage, for which V8 grows its nursery to 3 x 16 MiB: one of 2 GB took 73 MiB above
// idle, and with a nursery that stays small 20; neither that one nor 2,000 small ones are any faster for it. It has grown as soon
// as the modules are loaded, so they are loaded after this.
setFlagsFromString("--semi-space-growth-factor=1");
const { CONFIG_EXIT_CODE, ConfigError } = await import("@sluice/core/config");
const { runApi } = await import("./run-api.ts");

try {
  await runApi(process.env);
  process.exit(0);
} catch (error) {
  // Anything else is a bug, or a database that cannot be ours; the supervisor starts the process again.
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(CONFIG_EXIT_CODE);
}
