/** usage: node run-target.ts <target> <seed> <rounds>: one batch in a process of its own; prints its outcome as JSON. */
import { loadTarget } from "./targets.ts";

const [, , name = "", seed = "", rounds = ""] = process.argv;
const target = await loadTarget(name);
const outcome = await target.fuzz(Number(seed), Number(rounds));
console.log(JSON.stringify({ ...outcome, peakBytes: process.resourceUsage().maxRSS * 1_024 }));
