import { afterAll, beforeAll, expect, test } from "vitest";
import { BOMBS, judgeBomb } from "./bombs.ts";
import { openSandbox } from "./sandbox-kit.ts";

let sandbox: Awaited<ReturnType<typeof openSandbox>>;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

// CPU time, since other tests run beside this one; npm run formats prints the clock too, and gives each a sandbox of its own.
test.each(BOMBS)("$what is refused by a named limit, in less than 2 s of CPU time and 100 MB of memory", async (bomb) => {
  const { wrong, cpuMs, grownBytes } = await judgeBomb(bomb, sandbox.pool);
  expect(wrong).toBeNull();
  expect(cpuMs).toBeLessThan(2_000);
  expect(grownBytes).toBeLessThan(100e6);
});
