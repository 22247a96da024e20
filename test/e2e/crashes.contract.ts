import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { audit } from "../harness/audit.ts";
import { type Client, clientOf, type Files } from "../harness/client.ts";
import { duck, readCurrent } from "../harness/lake.ts";
import type { Running } from "../harness/running.ts";
import { openService, type Service, unreachable } from "../harness/service.ts";
import { until } from "../harness/until.ts";
import { API_STEPS } from "./crashing-api.ts";
import { WORKER_STEPS } from "./crashing-worker.ts";

const CRASHING_WORKER = join(import.meta.dirname, "crashing-worker.ts");
const CRASHING_API = join(import.meta.dirname, "crashing-api.ts");
const CRASH_MS = 20_000;
const STEP_MS = 60_000;
/** Of a dead worker's files, from its death. */
const RESTART_MS = 10_000;
/** Short, so that a dead worker's files are soon free; and so few in the queue that workers have to dispatch as well. */
const SETTINGS = { SLUICE_LEASE_SECONDS: "2", SLUICE_PER_ORG_QUEUE: "3" };

const ROWS = 20;
const csv = (file: string, value: (row: number) => string, rows = ROWS) =>
  `file,row,value\n${Array.from({ length: rows }, (_, row) => `${file},${row},${value(row)}`).join("\n")}\n`;
const OLD = { "old.csv": csv("old", (row) => `${row}`, 5) };
const OTHER = { "other.csv": csv("other", (row) => `${row}`) };
const JPG = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46]);
/** Whole numbers, fractions that widen them, a rejected row, a picture, and a file that fails. */
const NEW: Files = {
  "whole.csv": csv("whole", (row) => `${row}`),
  "fractions.csv": csv("fractions", (row) => `${row}.25`),
  "reject.csv": csv("reject", (row) => (row === 7 ? "7,too,many" : `${row}`)),
  "map.jpg": JPG,
  "page.csv": "<html><body>Not found</body></html>",
};
type Step = keyof typeof WORKER_STEPS;
const STEPS = Object.keys(WORKER_STEPS) as Step[];
/** Steps of which an incremental sync is more telling than a full one. */
const INCREMENTAL: ReadonlySet<Step> = new Set(["after the part, before it is published", "after current.json, before it is noted"]);
/** One file after the other, in the order of the upload: the one that widens comes when there is something to widen. */
const ORDERED: Partial<Record<Step, Record<string, string>>> = {
  "after other parts were made again for a wider type, before all are published": { SLUICE_WORKER_CONCURRENCY: "1" },
};
const NEW_ROWS = { whole: ROWS, fractions: ROWS, reject: ROWS - 1 };

/** Whatever dies wherever: what was acknowledged is published exactly once. */
export function crashes(queue: "postgres" | "redis"): void {
  const why = unreachable({ queue });
  if (why !== null) console.warn(`\n!!! ${why} !!!\n`);
  describe.skipIf(why !== null && process.env["CI"] !== "true")(`kill -9, with the queue on ${queue}`, () => {
    let service: Service;
    let client: Client;
    const syncs = new Map<Step, number>();
    const claimed = new Map<Step, number>();

    beforeAll(async () => {
      service = await openService({ queue, workers: 1, env: SETTINGS });
      client = clientOf(service);
      for (const [at, step] of STEPS.entries()) syncs.set(step, await prepare(client, at, step));
      for (const sync of syncs.values())
        await until("what is there before is loaded", STEP_MS, async () =>
          (await client.history(sync)).every((file) => file.sync_status !== "Syncing"),
        );
      await service.workers[0]?.stop();
    }, STEP_MS);
    afterAll(() => service[Symbol.asyncDispose]());

    describe("of a worker", () => {
      afterEach(async () => {
        for (const worker of service.workers) await worker.stop();
      });

      for (const [at, step] of STEPS.entries()) {
        it(`${step} loses and doubles nothing`, { timeout: STEP_MS }, async () => {
          onTestFailed(() => console.error(service.tails()));
          const path = `/worker/${at}`;
          const carries = step.startsWith("carrying");
          const sync = syncs.get(step) ?? 0;
          if (!carries) await client.upload(sync, NEW);
          await client.end(sync);
          const crashing = await service.startWorker({ main: CRASHING_WORKER, env: { CRASH_AT: step, ...ORDERED[step] }, ready: false });
          expect(await within(CRASH_MS, crashing)).toMatchObject({ signal: "SIGKILL" });
          const killedAtMs = performance.now();
          await service.startWorker();
          await until("another worker has every file", RESTART_MS, () => allClaimed(service, sync));
          claimed.set(step, performance.now() - killedAtMs);
          expect(await client.closed(sync)).toMatchObject({ sync_status: "Finished", total_files: 5, num_failed: 1 });
          expect(await rowsByFile(service, path)).toEqual({
            ...(INCREMENTAL.has(step) ? { old: 5 } : {}),
            ...(carries ? { other: ROWS } : {}),
            ...NEW_ROWS,
          });
          expect((await readCurrent(service, path))?.files).toMatchObject([{ name: "map.jpg", bytes: JPG.length }]);
          expect(await audit(service)).toEqual([]);
        });
      }
    });

    afterAll(() => {
      const [step, ms] = [...claimed].toSorted(([, a], [, b]) => b - a)[0] ?? ["", 0];
      console.log(
        `worker killed at ${claimed.size} steps: another one has every file after at most ${(ms / 1_000).toFixed(1)} s (${step}; ${queue})`,
      );
    });

    describe("of the API", () => {
      beforeAll(() => service.startWorker());

      for (const [at, step] of (Object.keys(API_STEPS) as (keyof typeof API_STEPS)[]).entries()) {
        it(`${step}: repeated with its Idempotency-Key, everything is there once`, { timeout: STEP_MS }, async () => {
          onTestFailed(() => console.error(service.tails()));
          const path = `/api-key/${at}`;
          const sync = await client.start(path, "FullSync");
          const crashing = await crashingApi(service, step);
          const upload = () => client.tryUpload(sync, NEW, { idempotencyKey: `upload-${at}` });
          const send = async () => {
            await untilAccepted(upload);
            await client.end(sync);
          };
          // Dies under one of the requests, or just after its answer.
          const sent = send().catch(() => null);
          expect(await within(CRASH_MS, crashing)).toMatchObject({ signal: "SIGKILL" });
          await sent;
          await service.startApi();
          // A client that heard no answer to its last request repeats it; the end may have been heard already.
          if ((await client.sync(sync)).sync_status === "Syncing" && !step.includes("end is recorded")) await untilAccepted(upload);
          await client.end(sync);
          expect(await client.closed(sync)).toMatchObject({ sync_status: "Finished", total_files: 5, num_failed: 1 });
          expect(await rowsByFile(service, path)).toEqual(NEW_ROWS);
          expect(await audit(service)).toEqual([]);
        });
      }

      it("before the record: nothing of the request is seen, and none of it without an answer", { timeout: STEP_MS }, async () => {
        onTestFailed(() => console.error(service.tails()));
        const sync = await client.start("/api/before", "IncrementalSync");
        const crashing = await crashingApi(service, "after the raw bytes, before the record");
        await expect(client.upload(sync, NEW)).rejects.toThrow("fetch failed");
        await within(CRASH_MS, crashing);
        await service.startApi();
        expect(await client.history(sync)).toEqual([]);
        expect(await client.sync(sync)).toMatchObject({ total_files: 0 });
      });

      it("after the record, before the enqueue: the file is picked up within 10 s", { timeout: STEP_MS }, async () => {
        onTestFailed(() => console.error(service.tails()));
        const sync = await client.start("/api/after", "IncrementalSync");
        const crashing = await crashingApi(service, "after the record, before it is enqueued and answered");
        await expect(client.upload(sync, NEW)).rejects.toThrow("fetch failed");
        await within(CRASH_MS, crashing);
        const killedAtMs = performance.now();
        await until("the files are done without any API", 10_000, async () => {
          const [row] = await service.query<{ open: number }>(
            "SELECT count(*)::int AS open FROM files WHERE sync_id = $1 AND finished_at IS NULL",
            [sync],
          );
          return row?.open === 0;
        });
        console.log(
          `API killed between record and enqueue: all done after ${((performance.now() - killedAtMs) / 1_000).toFixed(1)} s (${queue})`,
        );
        await service.startApi();
        await client.end(sync);
        expect(await client.closed(sync)).toMatchObject({ sync_status: "Finished", total_files: 5, num_failed: 1 });
        expect(await rowsByFile(service, "/api/after")).toEqual(NEW_ROWS);
        expect(await audit(service)).toEqual([]);
      });
    });
  });
}

/** A dataset with old rows and a sync that is to bring the new ones. */
async function prepare(client: Client, at: number, step: Step): Promise<number> {
  const path = `/worker/${at}`;
  const old = await client.start(path);
  await client.upload(old, OLD);
  await client.end(old);
  await client.closed(old);
  const sync = await client.start(path, INCREMENTAL.has(step) ? "IncrementalSync" : "FullSync");
  if (!step.startsWith("carrying")) return sync;
  // Loaded by another sync since the full one began, under a narrower type: it is made again and carried over.
  await client.upload(sync, NEW);
  const other = await client.start(path);
  await client.upload(other, OTHER);
  await client.end(other);
  await client.closed(other);
  return sync;
}

/** True when no file waits for a worker that would take it: all are done or held by one that lives. */
async function allClaimed(service: Service, sync: number): Promise<boolean> {
  const alive = service.workers.filter((worker) => worker.isRunning()).map((worker) => worker.pid);
  const [row] = await service.query<{ waiting: number }>(
    "SELECT count(*)::int AS waiting FROM files WHERE sync_id = $1 AND finished_at IS NULL AND (state <> 'claimed' OR split_part(worker, '/', 2)::int <> ALL ($2::int[]))",
    [sync, alive],
  );
  return row?.waiting === 0;
}

async function crashingApi(service: Service, step: string): Promise<Running> {
  await service.api.stop();
  return service.startApi({ main: CRASHING_API, env: { CRASH_AT: step } });
}

async function within(ms: number, running: Running) {
  await until(`${running.name} ended`, ms, () => !running.isRunning());
  return running.ended;
}

/** As a client does that means it: again while the first request may still be running; any other refusal is the test's failure. */
async function untilAccepted(upload: () => ReturnType<Client["tryUpload"]>): Promise<void> {
  await until("the upload is accepted", CRASH_MS, async () => {
    const { status, body } = await upload();
    if (status === 200) return true;
    if (status !== 409) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
    return false;
  });
}

/** How many rows of each uploaded file a reader finds, each row counted once. */
async function rowsByFile(service: Service, path: string): Promise<Record<string, number>> {
  const found = await duck(service, path, "SELECT file, count(*) AS rows, count(DISTINCT row) AS kinds FROM lake GROUP BY file");
  for (const { file, rows, kinds } of found)
    if (rows !== kinds) throw new Error(`${String(file)}: ${String(rows)} rows, only ${String(kinds)} of them different`);
  return Object.fromEntries(found.map(({ file, rows }) => [file, rows as number]));
}
