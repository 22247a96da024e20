import { Client, bodyOf, inParallel } from "../client.ts";
import { csvOf } from "../csv.ts";
import type { Bench, Group, Row } from "../row.ts";
import { cpuSince, type Service, startService } from "../service.ts";
import { seedService } from "./history.ts";

const CLIENTS = 8;
const FILES = 500;
const LARGE_FILES = 4;
const LARGE_BYTES = 8_000_000;

const cost = (name: string, unit: string): Row => ({ name, unit, must: null, aim: null, better: "less" });
const perFile = (workers: number) => cost(`CPU a 10 KB file with ${workers} workers vs with 1`, "ms");
const perMb = (workers: number) => cost(`CPU a MB of csv with ${workers} workers vs with 1`, "ms");
const TWO = { workers: 2, file: perFile(2), mb: perMb(2) };
const FOUR = { workers: 4, file: perFile(4), mb: perMb(4) };
const MILLION = cost("CPU a 10 KB file with 1,000,000 files in the sync vs with 1,000", "ms");

/** CPU-seconds of API, workers, children and PostgreSQL, by /proc; what they use when idle is in it. */
export const growth: readonly Group[] = [
  {
    title: "Cost of growth: more workers",
    rows: [TWO.file, TWO.mb, FOUR.file, FOUR.mb],
    run: async (bench) => {
      await using service = await startService();
      const client = new Client(service);
      const one = await both(bench, service, client, 1);
      for (const { workers, file, mb } of [TWO, FOUR]) {
        for (let running = workers / 2; running < workers; running++) await service.addWorker();
        const found = await both(bench, service, client, workers);
        if (bench.wants(file)) bench.measured(file, { ours: found.file, peer: one.file });
        if (bench.wants(mb)) bench.measured(mb, { ours: found.mb, peer: one.mb });
      }
      client.close();
    },
  },
  {
    title: "Cost of growth: more files in the sync",
    rows: [MILLION],
    run: async (bench) => {
      const found: number[] = [];
      for (const count of [1_000, bench.quick ? 20_000 : 1_000_000]) {
        await using service = await startService();
        const client = new Client(service);
        const { sync } = await seedService(client, service, count, true);
        await files(bench, service, client, sync);
        found.push(await files(bench, service, client, sync));
        bench.say(`with ${count.toLocaleString("en")} files: ${found.at(-1)?.toFixed(1)} ms a file`);
        client.close();
      }
      bench.measured(MILLION, { ours: found[1] ?? null, peer: found[0] ?? null });
    },
  },
];

async function both(bench: Bench, service: Service, client: Client, workers: number): Promise<{ file: number; mb: number }> {
  // What a fresh process costs until it is warm is no cost of a file.
  await files(bench, service, client, await client.startSync(`/bench/growth-warm-${workers}`));
  const file = await files(bench, service, client, await client.startSync(`/bench/growth-small-${workers}`));
  const mb = await largeFiles(bench, service, client, await client.startSync(`/bench/growth-large-${workers}`));
  bench.say(`with ${workers} workers: ${file.toFixed(1)} ms a file of 10 KB, ${mb.toFixed(1)} ms a MB`);
  return { file, mb };
}

/** CPU-milliseconds a 10 KB file. */
async function files(bench: Bench, service: Service, client: Client, sync: number): Promise<number> {
  const all = Array.from({ length: bench.quick ? 50 : FILES }, (_, i) => csvOf(i + 1, 10_000));
  const spent = await cpuOf(service, client, sync, () =>
    inParallel(all, CLIENTS, (file, i) => client.upload(sync, `orders-${i}.csv`, bodyOf(file))),
  );
  return spent / all.length;
}

/** CPU-milliseconds a MB of larger files. */
async function largeFiles(bench: Bench, service: Service, client: Client, sync: number): Promise<number> {
  const file = csvOf(99, bench.quick ? 1_000_000 : LARGE_BYTES);
  const spent = await cpuOf(service, client, sync, () =>
    inParallel(Array.from({ length: LARGE_FILES }), LARGE_FILES, (_, i) => client.upload(sync, `large-${i}.csv`, bodyOf(file))),
  );
  return spent / ((file.length * LARGE_FILES) / 1e6);
}

async function cpuOf(service: Service, client: Client, sync: number, work: () => Promise<void>): Promise<number> {
  const before = service.cpu();
  await work();
  await client.untilQuiet(sync);
  return cpuSince(before, service.cpu()).total * 1_000;
}
