/**
 * npm run fuzz: mutated files of every format, batch after batch, each batch in a process of its own that is given so much
 * memory and time. Prints deaths, hangs and surprises with the seed that makes them again; ends with 1 when there were any.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { targetNames } from "./targets.ts";

const HEAP_MB = 512;
// Some targets start sandboxes: a batch takes seconds, more on a machine with other work.
const BATCH_MS = 240_000;
const MAX_PEAK_BYTES = 1.5 * 2 ** 30;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    only: { type: "string", default: "" },
    seed: { type: "string", default: "1" },
    rounds: { type: "string", default: "20" },
  },
});

interface Tally {
  batches: number;
  read: number;
  refused: number;
  readonly wrong: string[];
  deaths: number;
  hangs: number;
  peakBytes: number;
}

type Batch =
  | {
      readonly kind: "done";
      readonly read: number;
      readonly refused: number;
      readonly wrong?: readonly string[];
      readonly peakBytes: number;
    }
  | { readonly kind: "hang" }
  | { readonly kind: "died"; readonly words: string };

function runBatch(name: string, seed: number): Promise<Batch> {
  const script = join(import.meta.dirname, "run-target.ts");
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, script, name, String(seed), values.rounds], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  let hung = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err = (err + text).slice(-2_000)));
  const timer = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, BATCH_MS);
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (hung) resolve({ kind: "hang" });
      else if (code === 0) resolve({ kind: "done", ...(JSON.parse(out) as Omit<Batch & { kind: "done" }, "kind">) });
      else resolve({ kind: "died", words: signal === null ? err : `killed by ${signal}: ${err}` });
    });
  });
}

async function fuzzFor(name: string, ms: number): Promise<Tally> {
  const tally: Tally = { batches: 0, read: 0, refused: 0, wrong: [], deaths: 0, hangs: 0, peakBytes: 0 };
  const until = performance.now() + ms;
  for (let seed = Number(values.seed); tally.batches === 0 || performance.now() < until; seed++) {
    const batch = await runBatch(name, seed);
    tally.batches++;
    const again = `npm run fuzz -- --only ${name} --seed ${seed} --rounds ${values.rounds} --seconds 0`;
    switch (batch.kind) {
      case "done":
        tally.read += batch.read;
        tally.refused += batch.refused;
        tally.peakBytes = Math.max(tally.peakBytes, batch.peakBytes);
        tally.wrong.push(...(batch.wrong ?? []).map((words) => `${words}\n    ${again}`));
        if (batch.peakBytes > MAX_PEAK_BYTES) tally.wrong.push(`${batch.peakBytes} bytes of memory\n    ${again}`);
        break;
      case "hang":
        tally.hangs++;
        tally.wrong.push(`longer than ${BATCH_MS} ms\n    ${again}`);
        break;
      case "died":
        tally.deaths++;
        tally.wrong.push(`${batch.words.trim()}\n    ${again}`);
        break;
    }
  }
  return tally;
}

const names = targetNames().filter((name) => name.includes(values.only));
if (names.length === 0) throw new Error(`no target of ${targetNames().join(", ")} has ${values.only} in its name`);
let failed = false;
console.log(
  `${"target".padEnd(14)}${["cases", "read", "refused", "deaths", "hangs", "wrong", "peak MB"].map((head) => head.padStart(9)).join("")}`,
);
for (const name of names) {
  const tally = await fuzzFor(name, (Number(values.seconds) * 1_000) / names.length);
  const { read, refused, deaths, hangs, wrong, peakBytes } = tally;
  const cells = [read + refused, read, refused, deaths, hangs, wrong.length, Math.round(peakBytes / 1e6)];
  console.log(`${name.padEnd(14)}${cells.map((cell) => String(cell).padStart(9)).join("")}`);
  for (const words of wrong.slice(0, 5)) console.log(`  WRONG ${words}`);
  failed ||= wrong.length > 0;
}
process.exitCode = failed ? 1 : 0;
