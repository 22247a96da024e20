// From what the steps of `npm test` found to its last lines.
import { readFileSync, rmSync } from "node:fs";

/** @typedef {{ name: string, passed: number, failed: number, skipped: number }} Result */

/** Vitest's JSON report as one result. A run that failed without a failed test (a file that does not load, an unhandled error) counts one. */
export function tally(file, exitCode) {
  const name = "tests";
  let report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return {
      name: exitCode === 0 ? name : `${name} (vitest ended with exit code ${exitCode} and no report)`,
      passed: 0,
      failed: exitCode === 0 ? 0 : 1,
      skipped: 0,
    };
  } finally {
    rmSync(file, { force: true });
  }
  const unloaded = report.testResults.filter(
    (suite) => suite.status === "failed" && !suite.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = report.numFailedTests + unloaded;
  return {
    name,
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** @param {Result[]} results */
export function summed(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/** What failed, a line each. @param {Result[]} results */
export function verdict(results) {
  return results
    .filter((result) => result.failed > 0)
    .map((result) => `FAILED: ${result.name}${result.failed > 1 ? ` (${result.failed})` : ""}`);
}
