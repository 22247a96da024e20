import { expect, test } from "vitest";
import { loadTarget, targetNames } from "./targets.ts";

const ROUNDS = 5;
const SEEDS = 200;
/** A target's share of the time that npm test takes; npm run fuzz goes on for as long as it is told. */
const BUDGET_MS = 3_000;

test.each(targetNames())("mutated files never break the reading of %s: they are read or refused", { timeout: 60_000 }, async (name) => {
  const target = await loadTarget(name);
  const until = performance.now() + BUDGET_MS;
  let cases = 0;
  // The seeds are the same each time; how many of them are tried depends on the machine, the first is always.
  for (let seed = 1; seed <= SEEDS && (seed === 1 || performance.now() < until); seed++) {
    const { read, refused, wrong = [] } = await target.fuzz(seed, ROUNDS);
    expect(wrong).toEqual([]);
    cases += read + refused;
  }
  expect(cases).toBeGreaterThan(0);
});
