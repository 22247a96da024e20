// npm run bench: sets up if need be, then measures the service against the targets (bench/main.ts on Node 24).
import { join } from "node:path";
import { runOnNode } from "./on-node.mjs";
import { root, setUp } from "./setup.mjs";

const HELP = `npm run bench                     all rows; writes bench/RESULTS.md and bench/RESULTS.json
npm run bench -- --only <text>    rows whose name holds the text; the others keep their last results
npm run bench -- --quick          fewer files and runs, to see that it works; writes nothing

Starts services of its own on free loopback ports, with data in temporary folders, and takes them away again.
Takes about ten minutes. Nothing else should run meanwhile: the figures are for a quiet machine.`;

const args = process.argv.slice(2);
if (args.includes("--help") || args.includes("-h")) {
  console.log(HELP);
  process.exit(0);
}
try {
  await setUp({ say: console.error });
  process.exitCode = await runOnNode(join(root, "bench", "main.ts"), args, { cwd: root });
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
