// npm run admin -- keys create|list|revoke: works on the records of the service that DATABASE_URL or the data folder names.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runOnNode } from "./on-node.mjs";
import { settings } from "./settings.mjs";
import { root, setUp } from "./setup.mjs";

try {
  await setUp({ say: console.error });
  const config = settings();
  const noted = join(config.dataDir, "database-url");
  const databaseUrl = config.databaseUrl ?? (existsSync(noted) ? readFileSync(noted, "utf8").trim() : null);
  if (databaseUrl === null && !process.argv.includes("--help")) {
    throw new Error("no service runs here: start it with `npm start`, or set DATABASE_URL to its records");
  }
  const env = databaseUrl === null ? process.env : { ...process.env, DATABASE_URL: databaseUrl };
  process.exitCode = await runOnNode(join(root, "apps", "api", "src", "admin.ts"), process.argv.slice(2), { env });
} catch (error) {
  console.error(`admin: ${error.message}`);
  process.exitCode = 1;
}
