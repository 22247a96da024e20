// The far end of leash.mjs: knows nothing but what it was told, waits for the pipe to close.
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { endAll } from "./ending.mjs";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
process.title = "sluice-leash";

const entries = new Map();
const folders = new Set();
let letGo = false;

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const message = JSON.parse(line);
  if (message.add) entries.set(message.add.pid, message.add);
  if (message.drop) entries.delete(message.drop);
  if (message.folder) folders.add(message.folder);
  if (message.letGo) letGo = true;
});
lines.on("close", () => {
  if (!letGo) void endEverything();
});

async function endEverything() {
  await endAll([...entries.values()]);
  // Only what looks like a temporary folder of ours is removed, whatever was written into the pipe.
  for (const folder of folders) {
    if (basename(folder).startsWith("sluice-") && folder !== tmpdir()) rmSync(folder, { recursive: true, force: true });
  }
}
