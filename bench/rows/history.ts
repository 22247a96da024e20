import { Client, bodyOf } from "../client.ts";
import { csvOf, randomOf } from "../csv.ts";
import type { Bench, Group, Row } from "../row.ts";
import { seed, type Seeded } from "../seed.ts";
import { type Service, startService } from "../service.ts";
import { median, quantile, spread } from "../stats.ts";

const MANY = 1_000_000;
const FEW = 1_000;
const ROUNDS = 5;
const REQUESTS = 200;
const PAGE = 100;

interface Page {
  readonly row: Row;
  /** A page's URL in a service that was seeded so; `random` chooses which. */
  readonly url: (seeded: Seeded, random: () => number) => string;
}

const cursor = (fields: object) => Buffer.from(JSON.stringify(fields)).toString("base64url");
/** Somewhere in the list, but not so near its end that the page is short. */
const inside = (first: number, last: number, random: () => number) => first + Math.floor(random() * (last - first - PAGE));

const p99 = (what: string, judged = true): Row => ({
  name: `${what}: p99 at 1,000,000 rows vs at 1,000`,
  unit: "ms",
  must: judged ? 1.5 : null,
  aim: judged ? 1.1 : null,
  better: "less",
});

const DATAINSIDER = "/api/ingestion/file/sync";
const PAGES: readonly Page[] = [
  { row: p99("history, first page"), url: () => `${DATAINSIDER}/history?size=${PAGE}` },
  { row: p99("history, last page (-history_id)"), url: () => `${DATAINSIDER}/history?size=${PAGE}&sort=-history_id` },
  { row: p99("history of one sync, first page"), url: ({ sync }) => `${DATAINSIDER}/history?sync_id=${sync}&size=${PAGE}` },
  { row: p99("sync list, first page"), url: () => `${DATAINSIDER}/list?size=${PAGE}` },
  { row: p99("sync list, last page (-sync_id)"), url: () => `${DATAINSIDER}/list?size=${PAGE}&sort=-sync_id` },
  {
    row: p99("/api/v1 files of a sync, any page by cursor"),
    url: ({ sync, lastHistoryNo, count }, random) =>
      `/api/v1/syncs/${sync}/files?limit=${PAGE}&cursor=${cursor({ kind: "files", no: inside(lastHistoryNo - count, lastHistoryNo, random) })}`,
  },
  {
    row: p99("/api/v1 syncs, any page by cursor"),
    url: ({ sync, count }, random) =>
      `/api/v1/syncs?limit=${PAGE}&cursor=${cursor({ kind: "syncs", id: inside(sync, sync + count, random) })}`,
  },
];
const DEEP = p99("history, from=900 of 1,000, from=999,900 of 1,000,000 (linear, documented)", false);

/** Two services with nothing but their seeded records, asked in turn. */
export const history: readonly Group[] = [
  {
    title: "History and list of 1,000,000 rows against 1,000",
    rows: [...PAGES.map((page) => page.row), DEEP],
    run: async (bench) => {
      const many = bench.quick ? 20_000 : MANY;
      await using small = await startService();
      await using large = await startService();
      const asked = await Promise.all([seeded(bench, small, FEW), seeded(bench, large, many)]);
      for (const page of PAGES) if (bench.wants(page.row)) await measure(bench, page, asked, bench.quick ? 20 : REQUESTS);
      if (bench.wants(DEEP)) {
        const url = ({ count }: Seeded) => `${DATAINSIDER}/history?size=${PAGE}&from=${count - PAGE}`;
        await measure(bench, { row: DEEP, url }, asked, bench.quick ? 2 : 5);
      }
      for (const { client } of asked) client.close();
    },
  },
];

interface Asked {
  readonly client: Client;
  readonly seeded: Seeded;
}

async function seeded(bench: Bench, service: Service, count: number): Promise<Asked> {
  const started = performance.now();
  const client = new Client(service);
  const found = await seedService(client, service, count, false);
  bench.say(`seeded ${count.toLocaleString("en")} files and syncs in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
  return { client, seeded: found };
}

/** A dataset with one real file, so that its schema is there, and `count` seeded ones in the same sync, which stays open. */
export async function seedService(client: Client, service: Service, count: number, parts: boolean): Promise<Seeded> {
  const sync = await client.startSync("/bench/seeded");
  await client.upload(sync, "orders.csv", bodyOf(csvOf(1, 10_000)));
  await client.untilQuiet(sync);
  const { items } = await client.call<{ items: { id: string }[] }>("GET", "/api/v1/datasets?path=/bench/seeded");
  return seed(service.databaseUrl, { sync, dataset: items[0]?.id ?? "", count, parts });
}

/** The ratio of p99 in each of several rounds; its median. One round's p99 hangs on two or three requests. */
async function measure(bench: Bench, page: Page, [small, large]: readonly Asked[], requests: number): Promise<void> {
  if (!small || !large) return;
  const random = randomOf(11);
  const rounds: { ours: number; peer: number }[] = [];
  const ask = async ({ client, seeded }: Asked, times: number[]) => {
    const url = page.url(seeded, random);
    const started = performance.now();
    await client.call("GET", url);
    times.push(performance.now() - started);
  };
  for (let i = 0; i < 20; i++) for (const asked of [small, large]) await ask(asked, []);
  for (let round = 0; round < ROUNDS; round++) {
    const times = { ours: [] as number[], peer: [] as number[] };
    for (let i = 0; i < requests; i++) {
      await ask(large, times.ours);
      await ask(small, times.peer);
    }
    rounds.push({ ours: quantile(times.ours, 0.99), peer: quantile(times.peer, 0.99) });
  }
  const byRatio = rounds.toSorted((a, b) => a.ours / a.peer - b.ours / b.peer);
  const middle = byRatio[Math.floor(ROUNDS / 2)] ?? { ours: Number.NaN, peer: Number.NaN };
  const ratios = rounds.map(({ ours, peer }) => ours / peer);
  bench.measured(page.row, { ...middle, note: `ratios ${spread(ratios)}, median ${median(ratios).toPrecision(3)}` });
}
