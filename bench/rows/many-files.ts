import { Client, bodyOf, inParallel } from "../client.ts";
import { csvOf } from "../csv.ts";
import { startBenchRedis } from "../redis.ts";
import type { Bench, Group, Row } from "../row.ts";
import { cpuSince, cpuText, type Service, startService } from "../service.ts";
import { median, spread } from "../stats.ts";

const FILES = 2_000;
const FILE_BYTES = 10_000;
const CLIENTS = 16;
const RUNS = 3;

const filesASecond = (name: string, must: number | null, aim: number | null): Row => ({ name, unit: "files/s", must, aim, better: "more" });
const EMBEDDED = filesASecond("2,000 csv files of 10 KB, 16 clients, embedded stores", 100, 300);
const EMBEDDED_8 = filesASecond("2,000 csv files of 10 KB, 16 clients, embedded stores, 8 datasets", null, null);
const REDIS = filesASecond("2,000 csv files of 10 KB, 16 clients, queue on Redis", 150, 400);
const REDIS_8 = filesASecond("2,000 csv files of 10 KB, 16 clients, queue on Redis, 8 datasets", null, null);

/** From the first upload to all Finished, uploads and conversion beside one another. */
export const manyFiles: readonly Group[] = [
  {
    title: "Many small files, embedded stores",
    rows: [EMBEDDED, EMBEDDED_8],
    run: async (bench) => {
      await using service = await startService();
      await measure(bench, service, EMBEDDED, EMBEDDED_8);
    },
  },
  {
    title: "Many small files, queue on Redis",
    rows: [REDIS, REDIS_8],
    run: async (bench) => {
      await using redis = await startBenchRedis(bench.say);
      await using service = await startService({ redisUrl: redis.url });
      await measure(bench, service, REDIS, REDIS_8);
    },
  },
];

async function measure(bench: Bench, service: Service, one: Row, eight: Row): Promise<void> {
  const client = new Client(service);
  const files = Array.from({ length: bench.quick ? 400 : FILES }, (_, i) => csvOf(i + 1, FILE_BYTES));
  // A few files first: what is measured is a running service, not its first second.
  await load(client, "/bench/warm", files.slice(0, 64), 1);
  const variants = [
    { row: one, datasets: 1, runs: bench.quick ? 1 : RUNS },
    { row: eight, datasets: 8, runs: 1 },
  ];
  for (const { row, datasets, runs } of variants) {
    if (!bench.wants(row)) continue;
    const rates: number[] = [];
    for (let run = 1; run <= runs; run++) {
      const before = service.cpu();
      const seconds = await load(client, `/bench/many-${datasets}-${run}`, files, datasets);
      rates.push(files.length / seconds.total);
      const rate = (over: number) => (files.length / over).toFixed(0);
      bench.say(
        `run ${run}: ${rate(seconds.total)} files/s (${rate(seconds.uploads)} uploads/s); ${cpuText(cpuSince(before, service.cpu()), files.length)}`,
      );
    }
    bench.measured(row, { ours: median(rates), peer: null, note: spread(rates) });
  }
  client.close();
}

/** Sends the files in turn to so many datasets, each with a sync of its own. Seconds until the last answer, and until all is Finished. */
async function load(client: Client, path: string, files: readonly Buffer[], datasets: number): Promise<{ uploads: number; total: number }> {
  const syncs: number[] = [];
  for (let i = 0; i < datasets; i++) syncs.push(await client.startSync(`${path}/${i}`));
  const started = performance.now();
  const since = () => (performance.now() - started) / 1_000;
  await inParallel(files, CLIENTS, (file, i) => client.upload(syncs[i % datasets] ?? 0, `orders-${i}.csv`, bodyOf(file)));
  const uploads = since();
  await Promise.all(syncs.map((sync) => client.endSync(sync)));
  await Promise.all(syncs.map((sync) => client.untilFinished(sync)));
  return { uploads, total: since() };
}
