import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientOf } from "../harness/client.ts";
import { supervised, type Supervised } from "../harness/supervised.ts";
import { until } from "../harness/until.ts";

const TEST_MS = 120_000;
const BACK_MS = 30_000;
const ENDED_MS = 10_000;

describe("npm start after a kill -9", () => {
  let dataDir: string;
  let service: Supervised;
  let files = 0;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "sluice-killed-"));
    service = await supervised({ dataDir });
  }, TEST_MS);
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  }, TEST_MS);

  const client = async () => clientOf({ url: service.url, key: await service.key() });
  /** Loads one more file and expects all that were ever acknowledged to be there. */
  const works = async () => {
    const api = await client();
    const sync = await api.start("/kept");
    await api.upload(sync, { [`${files}.csv`]: `file\n${files}\n` });
    files += 1;
    await api.end(sync);
    expect(await api.closed(sync)).toMatchObject({ sync_status: "Finished", total_files: 1, num_failed: 0 });
    const current = JSON.parse(await readFile(join(dataDir, "objects/lake/0/kept/current.json"), "utf8")) as { rows: number };
    expect(current.rows).toBe(files);
  };
  const childPid = async (name: string) => {
    const roster = JSON.parse(await readFile(join(dataDir, "supervisor.json"), "utf8")) as { children: Record<string, { pid: number }> };
    return roster.children[name]?.pid ?? 0;
  };

  for (const child of ["api", "worker", "postgres"]) {
    it(`of its ${child} goes on by itself, with all data`, { timeout: TEST_MS }, async () => {
      await works();
      const killed = await childPid(child);
      process.kill(killed, "SIGKILL");
      const killedAtMs = performance.now();
      await until(`${child} is back`, BACK_MS, async () => ![0, killed].includes(await childPid(child)));
      await until("the service answers", BACK_MS, isReady);
      await works();
      console.log(
        `kill -9 of ${child} under npm start: a new file is loaded after ${((performance.now() - killedAtMs) / 1_000).toFixed(1)} s`,
      );
    });
  }

  it("of the supervisor itself starts again on the same folder, with all data", { timeout: TEST_MS }, async () => {
    await works();
    const left = await Promise.all(["api", "worker", "postgres"].map(childPid));
    const killedAtMs = performance.now();
    service.supervisor.kill("SIGKILL");
    await once(service.supervisor, "exit");
    // By themselves: the leash would kill them after 13 s.
    await until("its children are gone", ENDED_MS, () => !left.some(isThere));
    service = await supervised({ dataDir });
    await works();
    console.log(
      `kill -9 of npm start itself: started again and a new file loaded after ${((performance.now() - killedAtMs) / 1_000).toFixed(1)} s`,
    );
  });

  const isThere = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const isReady = async () => {
    try {
      return (await fetch(`${service.url}/readyz`)).status === 200;
    } catch {
      return false;
    }
  };
});
