// node scripts/with-node.mjs <tool or script> [arguments]: sets up if need be, then runs it on Node 24.
import { runOnNode } from "./on-node.mjs";
import { setUp } from "./setup.mjs";

const [name, ...args] = process.argv.slice(2);
if (name === undefined || name === "--help") {
  console.error("usage: node scripts/with-node.mjs <tool of node_modules/.bin | script.ts> [arguments]");
  process.exit(name === undefined ? 64 : 0);
}
try {
  await setUp({ say: console.error });
  process.exitCode = await runOnNode(name, args);
} catch (error) {
  console.error(`with-node: ${error.message}`);
  process.exitCode = 1;
}
