// Runs the rows and writes their results. scripts/bench.mjs says what the arguments are.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { undoAll } from "./cleanup.ts";
import { markdown, merged, type Machine, textTable } from "./report.ts";
import { type Bench, type Group, type Measured, type Result, resultOf, type Row } from "./row.ts";
import { conversion } from "./rows/conversion.ts";
import { growth } from "./rows/growth.ts";
import { history } from "./rows/history.ts";
import { latency } from "./rows/latency.ts";
import { manyFiles } from "./rows/many-files.ts";
import { oneUpload } from "./rows/one-upload.ts";
import { sandbox } from "./rows/sandbox.ts";
import { workbook } from "./rows/workbook.ts";

const GROUPS: readonly Group[] = [...conversion, ...workbook, ...sandbox, ...manyFiles, ...oneUpload, ...latency, ...history, ...growth];
const STOPPED = 130;

const { values: flags } = parseArgs({ options: { only: { type: "string" }, quick: { type: "boolean", default: false } } });
const { only, quick } = flags;
const wants = (row: Row) => only === undefined || row.name.toLowerCase().includes(only.toLowerCase());
const rows = GROUPS.flatMap((group) => group.rows);
if (!rows.some(wants)) {
  console.error(`no row's name holds "${only}"; the rows are:\n${rows.map((row) => `  ${row.name}`).join("\n")}`);
  process.exit(64);
}

let stopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    console.error("\nStopping …");
    void undoAll().finally(() => process.exit(STOPPED));
  });
}

const machine = describe();
const results = new Map<string, Result>();
const started = performance.now();
for (const group of GROUPS) if (group.rows.some(wants)) await runGroup(group);
finish();
process.exit(0);

/** Runs a group; what it throws fails its rows and nothing else. */
async function runGroup(group: Group): Promise<void> {
  say(`\n${group.title}`);
  try {
    await group.run(benchOf());
  } catch (error) {
    // What a row says when its service is taken away is of no interest; the process ends in a moment.
    if (stopping) await new Promise(() => {});
    console.error(error);
  }
  await undoAll();
  for (const row of group.rows) if (wants(row) && !results.has(row.name)) note(row, null);
}

function benchOf(): Bench {
  return { quick, wants, say: (line) => say(`  ${line}`), measured: note };
}

function note(row: Row, found: Measured | null): void {
  const result = resultOf(row, found, machine.commit);
  results.set(row.name, result);
  const verdict = result.met === null ? "" : result.met ? " (met)" : ` (must ${row.must}: not met)`;
  const ratio = result.ratio === null ? "" : `, ratio ${result.ratio}`;
  say(`  => ${row.name}: ${result.ours ?? "failed"} ${row.unit}${ratio}${verdict}${found?.note ? `  [${found.note}]` : ""}`);
}

function say(line: string): void {
  console.log(line);
}

function finish(): void {
  const fresh = [...results.values()];
  say(`\n${textTable(fresh)}\n`);
  say(
    `took ${Math.round((performance.now() - started) / 1_000)} s on ${machine.cores} cores, Node ${machine.node}, commit ${machine.commit}`,
  );
  if (quick) return say("--quick: nothing is written");
  const file = join(import.meta.dirname, "RESULTS.json");
  const former = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Result[]) : [];
  const all = merged(
    former,
    fresh,
    rows.map((row) => row.name),
  );
  writeFileSync(file, `[\n${all.map((result) => `  ${JSON.stringify(result)}`).join(",\n")}\n]\n`);
  writeFileSync(join(import.meta.dirname, "RESULTS.md"), markdown(all, machine));
  say("written to bench/RESULTS.md and bench/RESULTS.json");
}

function describe(): Machine {
  const git = (...args: string[]) => {
    try {
      return execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      return "";
    }
  };
  // A plus says that what ran was not quite that commit.
  const dirty = git("status", "--porcelain", "--", ":/apps", ":/packages", ":/scripts", ":/package-lock.json") !== "";
  return {
    commit: `${git("rev-parse", "--short", "HEAD") || "unknown"}${dirty ? "+" : ""}`,
    node: process.versions.node,
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    load: loadavg()
      .map((value) => value.toFixed(2))
      .join(", "),
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
  };
}
