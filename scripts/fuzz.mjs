// npm run fuzz: sets up if need be, then reads mutated files of every format (test/fuzz/main.ts on Node 24).
import { join } from "node:path";
import { runOnNode } from "./on-node.mjs";
import { root, setUp } from "./setup.mjs";

const HELP = `npm run fuzz                          every format for a minute in all
npm run fuzz -- --seconds <n>         for so long, shared among the formats
npm run fuzz -- --only <text>         formats whose name holds the text
npm run fuzz -- --seed <n> --rounds <n>  where the seeds begin, and cases of a batch

Each batch runs in a process of its own with 512 MB of heap and four minutes.`;

const args = process.argv.slice(2);
if (args.includes("--help") || args.includes("-h")) {
  console.log(HELP);
  process.exit(0);
}
try {
  await setUp({ say: console.error });
  process.exitCode = await runOnNode(join(root, "test", "fuzz", "main.ts"), args, { cwd: root });
} catch (error) {
  console.error(`fuzz: ${error.message}`);
  process.exitCode = 1;
}
