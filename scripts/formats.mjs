// npm run formats: sets up if need be, then prints the grid of formats and compressions and the corpus scores (test/formats/main.ts on Node 24).
import { join } from "node:path";
import { runOnNode } from "./on-node.mjs";
import { root, setUp } from "./setup.mjs";

const HELP = `npm run formats               every format beneath every compression, and the scores on the public corpora
npm run formats -- --only <text>  scores whose name holds the text

Ends with 1 when a score is below its target or a cell is not read. The corpora lie beside the repository; what is not
there is said to be NOT REACHED.`;

const args = process.argv.slice(2);
if (args.includes("--help") || args.includes("-h")) {
  console.log(HELP);
  process.exit(0);
}
try {
  await setUp({ say: console.error });
  process.exitCode = await runOnNode(join(root, "test", "formats", "main.ts"), args, { cwd: root });
} catch (error) {
  console.error(`formats: ${error.message}`);
  process.exitCode = 1;
}
