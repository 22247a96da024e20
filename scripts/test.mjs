// npm test: sets up if need be, checks types, lint and format, then runs the tests against real services.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { runOnNode, runQuietly } from "./on-node.mjs";
import { root, setUp } from "./setup.mjs";
import { onStopRequest } from "./stop-signals.mjs";
import { summed, tally, verdict } from "./test-report.mjs";
import { startTestServices } from "./test-services.mjs";

const HELP = `npm test                      everything: types, lint, format, all tests
npm test -- check             types, lint, format only
npm test -- unit [arguments]  tests in packages/ and apps/
npm test -- e2e [arguments]   tests in test/
npm test -- chaos [arguments] the long run of test/e2e/chaos*
Further arguments go to vitest.`;

const CHECKS = [
  { name: "types", tool: "turbo", args: ["run", "typecheck", "--continue", "--output-logs=errors-only"] },
  { name: "types of test/", tool: "tsc", args: ["-p", "test/tsconfig.json"] },
  { name: "types of bench/", tool: "tsc", args: ["-p", "bench/tsconfig.json"] },
  { name: "lint", tool: "oxlint", args: ["--type-aware"] },
  { name: "format", tool: "oxfmt", args: ["--check", "."] },
];

// Absolute, because vitest takes a relative filter for any part of a path.
const MODES = {
  all: { checks: true, tests: true, filters: [] },
  check: { checks: true, tests: false, filters: [] },
  unit: { checks: false, tests: true, filters: [join(root, "packages"), join(root, "apps")] },
  e2e: { checks: false, tests: true, filters: [join(root, "test")] },
  chaos: { checks: false, tests: true, filters: [join(root, "test", "e2e", "chaos")], env: { SLUICE_CHAOS: "full" } },
};

const began = Date.now();
const [first, ...others] = process.argv.slice(2);
if (first === "--help" || first === "-h") {
  console.log(HELP);
  process.exit(0);
}
const mode = MODES[first] ?? MODES.all;
const rest = first === undefined || Object.hasOwn(MODES, first) ? others : [first, ...others];
const inCI = ![undefined, "", "0", "false"].includes(process.env.CI);

const stop = new AbortController();
let services = null;
onStopRequest((why) => stop.abort(new Error(`stopped by ${why}`)));

try {
  await setUp({ signal: stop.signal });
  const results = await everything();
  const total = summed(results);
  console.log("");
  for (const line of verdict(results)) console.log(line);
  console.log(`took ${Math.round((Date.now() - began) / 1000)} s`);
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed > 0 ? 1 : 0;
} catch (error) {
  console.error(stop.signal.aborted ? stop.signal.reason.message : `npm test: ${error.message}`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
} finally {
  await services?.then((started) => started.stop());
  // Anything a test run has left open must not keep it from ending.
  process.exit();
}

/** Runs all steps of the mode, whatever fails, and resolves to one result each. */
async function everything() {
  // Services may have to be installed or built: begin now, while the checks run.
  if (mode.tests) services = startTestServices();
  const results = [];
  if (mode.checks) for (const check of CHECKS) results.push(await runCheck(check));
  if (mode.tests) {
    const { env, missing } = await services;
    results.push(...missing.map(reportMissing), await runTests(env));
  }
  return results;
}

async function runCheck({ name, tool, args }) {
  stop.signal.throwIfAborted();
  const start = Date.now();
  const { code, output } = await runQuietly(tool, args, { cwd: root, signal: stop.signal });
  stop.signal.throwIfAborted();
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  if (code !== 0) console.log(output.trimEnd());
  return { name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** What is not tested is said loudly; in CI it is a failure. */
function reportMissing(reason) {
  const lines = [`NOT TESTED HERE: ${reason}`, ...(inCI ? ["CI is set: this is a failure."] : [])].join("\n").split("\n");
  const width = Math.min(110, Math.max(...lines.map((line) => line.length)));
  const bar = "!".repeat(width + 4);
  console.error(["", bar, ...lines.map((line) => `! ${line.padEnd(width)} !`), bar, ""].join("\n"));
  return { name: `service ${reason.split("\n")[0]}`, passed: 0, failed: inCI ? 1 : 0, skipped: inCI ? 0 : 1 };
}

async function runTests(env) {
  stop.signal.throwIfAborted();
  mkdirSync(join(root, ".tmp"), { recursive: true });
  const report = join(root, ".tmp", `vitest-${process.pid}.json`);
  const code = await runOnNode(
    "vitest",
    ["run", "--passWithNoTests", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...mode.filters, ...rest],
    { cwd: root, env: { ...process.env, ...env, ...mode.env }, signal: stop.signal },
  );
  stop.signal.throwIfAborted();
  return tally(report, code);
}
