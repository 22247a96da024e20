import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { audit } from "../harness/audit.ts";
import { type Client, clientOf } from "../harness/client.ts";
import { duck } from "../harness/lake.ts";
import { type Service, type ServiceOptions, unreachable, withService } from "../harness/service.ts";
import { until } from "../harness/until.ts";
import { chaosEnv } from "./chaos-settings.ts";

const CHAOS_WORKER = join(import.meta.dirname, "chaos-worker.ts");
const FULL = process.env["SLUICE_CHAOS"] === "full";
const DOWN_MS = FULL ? 20_000 : 4_000;
const RESUME_MS = 5_000;
const FLUSHED_MS = 30_000;
const LINES_A_SECOND = 10;
const TEST_MS = 120_000;
/** Jobs slow enough that an outage comes while many are under way. */
const SLOW = { ...chaosEnv({ seed: 1, jobMs: 300, blockShare: 0, blockMs: 0 }), SLUICE_WORKER_CONCURRENCY: "2" };
const ON_REDIS: ServiceOptions = { queue: "redis", workers: 0 };

const why = unreachable({ queue: "redis" });
if (why !== null) console.warn(`\n!!! ${why} !!!\n`);

describe.skipIf(why !== null && process.env["CI"] !== "true")("Redis", () => {
  it("flushed in mid-run: every unfinished file is back within 30 s, none is published twice", { timeout: TEST_MS }, () =>
    withService({ ...ON_REDIS, env: SLOW }, async (service) => {
      const client = clientOf(service);
      const sync = await client.start("/flushed");
      await Promise.all([startSlow(service), startSlow(service)]);
      await upload(client, sync, 0, 80);
      await until("a quarter is done", 60_000, async () => (await done(service, sync)) >= 20);
      const before = await done(service, sync);
      await service.redis?.client.flushall();
      const flushedAtMs = performance.now();
      await until("all files are done", FLUSHED_MS, async () => (await done(service, sync)) === 80);
      say(`Redis FLUSHALL with ${before} of 80 files done: all done after`, flushedAtMs);
      await publishedOnce(service, client, sync, "/flushed", 80);
    }),
  );

  it(
    `down for ${DOWN_MS / 1_000} s under busy workers: uploads stay 2xx, work resumes within 5 s, nothing is lost`,
    { timeout: TEST_MS },
    () =>
      withService({ ...ON_REDIS, env: SLOW }, async (service) => {
        const client = clientOf(service);
        const sync = await client.start("/down");
        await Promise.all([startSlow(service), startSlow(service)]);
        await upload(client, sync, 0, 60);
        await until("some are done", 60_000, async () => (await done(service, sync)) >= 10);
        await outage(service, () => upload(client, sync, 60, 80));
        const upAgainAtMs = performance.now();
        const before = await done(service, sync);
        await until("one more file is done", RESUME_MS, async () => (await done(service, sync)) > before);
        say(`Redis down ${DOWN_MS / 1_000} s, busy workers: first file done after`, upAgainAtMs);
        await until("all files are done", 60_000, async () => (await done(service, sync)) === 80);
        await publishedOnce(service, client, sync, "/down", 80);
      }),
  );

  it(`down for ${DOWN_MS / 1_000} s under an idle worker: the next file is taken within 5 s`, { timeout: TEST_MS }, () =>
    withService({ ...ON_REDIS, workers: 1 }, async (service) => {
      const client = clientOf(service);
      const sync = await client.start("/idle");
      await upload(client, sync, 0, 1);
      await until("the first file is done", 30_000, async () => (await done(service, sync)) === 1);
      await outage(service, () => upload(client, sync, 1, 2));
      const upAgainAtMs = performance.now();
      await until("the file of the outage is done", RESUME_MS, async () => (await done(service, sync)) === 2);
      say(`Redis down ${DOWN_MS / 1_000} s, idle worker: the file that came meanwhile is done after`, upAgainAtMs);
      await publishedOnce(service, client, sync, "/idle", 2);
    }),
  );

  it("filling up: the dispatcher pauses at 70 %, uploads stay 2xx, draining goes on, and the logs stay short", { timeout: TEST_MS }, () =>
    withService({ ...ON_REDIS, env: { SLUICE_PER_ORG_QUEUE: "100000" }, redisOptions: ["--maxmemory", "8mb"] }, async (service) => {
      const client = clientOf(service);
      const sync = await client.start("/filling");
      const worker = await service.startWorker();
      await worker.stop();
      await upload(client, sync, 0, 100);
      await until("the first hundred are enqueued", 10_000, async () => (await waiting(service, sync)) === 0);
      // The dispatcher looks once a second at most, so from the second look on it has seen this.
      await fill(service, 0.71);
      const filledAtMs = performance.now();
      await until("the dispatcher has looked again", 10_000, () => performance.now() - filledAtMs > 1_100);
      await upload(client, sync, 100, 200);
      expect(await memoryShare(service)).toBeLessThan(0.75);
      expect(await waiting(service, sync)).toBe(100);

      // Somebody else fills it to the brim: nothing can be added, nothing can even be taken. Then there is room again.
      const second = await service.startWorker();
      await until("draining goes on", 30_000, async () => (await done(service, sync)) >= 20);
      await fill(service, 1);
      const fullAtMs = performance.now();
      await upload(client, sync, 200, 220);
      await until("three seconds of a full Redis", 10_000, () => performance.now() - fullAtMs > 3_000);
      await service.redis?.client.del("filler");
      const freedAtMs = performance.now();
      for (const each of [service.api, second]) {
        const lines = each.log.filter(
          ({ atMs, text }) => atMs >= fullAtMs && atMs < freedAtMs && !/"msg":"(request|file loaded)"/.test(text),
        );
        expect(lines.length / ((freedAtMs - fullAtMs) / 1_000)).toBeLessThanOrEqual(LINES_A_SECOND);
      }
      await until("all files are done", 60_000, async () => (await done(service, sync)) === 220);
      say("Redis full for 3 s: all 220 files done after", freedAtMs);
      await publishedOnce(service, client, sync, "/filling", 220);
    }),
  );
});

const startSlow = (service: Service) => service.startWorker({ main: CHAOS_WORKER });

function say(what: string, sinceMs: number): void {
  console.log(`${what} ${((performance.now() - sinceMs) / 1_000).toFixed(1)} s`);
}

async function upload(client: Client, sync: number, from: number, to: number): Promise<void> {
  let next = from;
  const lane = async () => {
    for (let file = next++; file < to; file = next++) await client.upload(sync, { [`${file}.csv`]: `file,row\n${file},0\n${file},1\n` });
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

async function waiting(service: Service, sync: number): Promise<number> {
  const [row] = await service.query<{ waiting: number }>(
    "SELECT count(*)::int AS waiting FROM files WHERE sync_id = $1 AND state IN ('staged', 'waiting') AND enqueued_at IS NULL",
    [sync],
  );
  return row?.waiting ?? 0;
}

async function done(service: Service, sync: number): Promise<number> {
  const [row] = await service.query<{ done: number }>("SELECT count(*)::int AS done FROM files WHERE sync_id = $1 AND state = 'loaded'", [
    sync,
  ]);
  return row?.done ?? 0;
}

/** Redis is gone, `meanwhile` happens, and it comes back empty after the outage's time. */
async function outage(service: Service, meanwhile: () => Promise<void>): Promise<void> {
  const backAtMs = performance.now() + DOWN_MS;
  await service.redis?.stop();
  await meanwhile();
  await until("the outage is over", DOWN_MS + 10_000, () => performance.now() >= backAtMs);
  await service.redis?.start();
}

async function publishedOnce(service: Service, client: Client, sync: number, path: string, files: number): Promise<void> {
  await client.end(sync);
  expect(await client.closed(sync)).toMatchObject({ sync_status: "Finished", total_files: files, num_failed: 0 });
  const rows = await duck(service, path, "SELECT file, count(*) AS rows FROM lake GROUP BY file ORDER BY file");
  expect(rows).toEqual(Array.from({ length: files }, (_, file) => ({ file, rows: 2 })));
  expect(await audit(service)).toEqual([]);
}

async function memoryShare(service: Service): Promise<number> {
  const info = (await service.redis?.client.info("memory")) ?? "";
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]) / Number(/^maxmemory:(\d+)/m.exec(info)?.[1]);
}

/** Fills Redis with a value of somebody else up to this share of its memory. */
async function fill(service: Service, share: number): Promise<void> {
  const client = service.redis?.client;
  for (let step = 64 * 1_024; step >= 1_024;) {
    if ((await memoryShare(service)) >= share) return;
    try {
      await client?.rpush("filler", "x".repeat(step));
    } catch {
      step /= 2;
    }
  }
}
