import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { undoing } from "../cleanup.ts";
import { Client, filler } from "../client.ts";
import { memoryOf, resetPeak } from "../proc.ts";
import type { Bench, Group, Row } from "../row.ts";
import { type Service, startService } from "../service.ts";
import { median, spread } from "../stats.ts";

const MIB = 2 ** 20;
const RUNS = 4;
const SETTLE_MS = 2_000;

const MEMORY: Row = { name: "one 2 GB upload: API peak RSS above idle", unit: "MiB", must: 64, aim: 32, better: "less" };
const FORM: Row = {
  name: "upload of 1 GiB as a form vs bare node:http server that hashes, writes, fsyncs",
  unit: "MiB/s",
  must: 0.7,
  aim: 0.95,
  better: "more",
};
const RAW: Row = {
  name: "upload of 1 GiB as a raw body vs bare node:http server that hashes, writes, fsyncs",
  unit: "MiB/s",
  must: null,
  aim: null,
  better: "more",
};

/** Opaque files, so that nothing is converted and what is measured is the way from the socket to the disk. */
export const oneUpload: readonly Group[] = [
  {
    title: "One large upload",
    rows: [MEMORY, FORM, RAW],
    run: async (bench) => {
      await using service = await startService();
      const client = new Client(service);
      const sync = await client.startSync("/bench/large");
      if (bench.wants(MEMORY)) await memory(bench, service, client, sync);
      if (bench.wants(FORM) || bench.wants(RAW)) await throughput(bench, service, client, sync);
      client.close();
    },
  },
];

/** The first upload of a fresh process: what it takes to get warm counts as well. */
async function memory(bench: Bench, service: Service, client: Client, sync: number): Promise<void> {
  const bytes = bench.quick ? 200e6 : 2e9;
  await sleep(SETTLE_MS);
  const api = service.pid("api");
  const idle = memoryOf(api, "VmRSS");
  resetPeak(api);
  await client.upload(sync, "large.bin", filler(bytes));
  const peak = memoryOf(api, "VmHWM");
  await takeAway(service, client, sync);
  bench.measured(MEMORY, {
    ours: (peak - idle) / MIB,
    peer: null,
    note: `idle ${Math.round(idle / MIB)} MiB, peak ${Math.round(peak / MIB)} MiB`,
  });
}

async function throughput(bench: Bench, service: Service, client: Client, sync: number): Promise<void> {
  const bytes = bench.quick ? 64 * MIB : 1_024 * MIB;
  await using peer = await startPeer();
  const bare = new Client({ url: peer.url, key: "" });
  const { items } = await client.call<{ items: { id: string }[] }>("GET", "/api/v1/datasets?path=/bench/large");
  const dataset = items[0]?.id ?? "";
  const ways = {
    form: () => client.upload(sync, "large.bin", filler(bytes)),
    peer: () => bare.call("POST", "/", filler(bytes), "application/octet-stream"),
    raw: () => client.call("POST", `/api/v1/datasets/${dataset}/files?name=large.bin`, filler(bytes), "application/octet-stream"),
  };
  const rates = { form: [] as number[], peer: [] as number[], raw: [] as number[] };
  for (let run = 0; run < (bench.quick ? 1 : RUNS); run++) {
    for (const way of ["form", "peer", "raw"] as const) {
      const started = performance.now();
      await ways[way]();
      rates[way].push(bytes / MIB / ((performance.now() - started) / 1_000));
      if (way === "peer") peer.clear();
      else await takeAway(service, client, sync);
    }
    bench.say(
      `run ${run + 1}: ${(["form", "raw", "peer"] as const).map((way) => `${way} ${rates[way].at(-1)?.toFixed(0)}`).join(", ")} MiB/s`,
    );
  }
  // The first run of each is its warming up.
  const kept = (way: keyof typeof rates) => (rates[way].length > 1 ? rates[way].slice(1) : rates[way]);
  for (const [row, way] of [
    [FORM, "form"],
    [RAW, "raw"],
  ] as const)
    if (bench.wants(row))
      bench.measured(row, { ours: median(kept(way)), peer: median(kept("peer")), note: `${spread(kept(way))} vs ${spread(kept("peer"))}` });
  bare.close();
}

/** Waits for the worker, then frees the disk: neither may run beside what is measured next. */
async function takeAway(service: Service, client: Client, sync: number): Promise<void> {
  await client.untilQuiet(sync);
  await sleep(300);
  for (const folder of ["raw", "files"]) {
    const entries = readdirSync(join(service.dataDir, "objects", folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) if (entry.isFile()) rmSync(join(entry.parentPath, entry.name));
  }
}

async function startPeer(): Promise<AsyncDisposable & { readonly url: string; clear(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-peer-"));
  const main = join(import.meta.dirname, "..", "peers", "hashing-server.ts");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, folder], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const undo = undoing(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    rmSync(folder, { recursive: true, force: true });
  });
  const [port] = (await once(createInterface(child.stdout), "line")) as [string];
  return {
    url: `http://127.0.0.1:${port}`,
    clear: () => {
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
    },
    [Symbol.asyncDispose]: () => undo[Symbol.asyncDispose](),
  };
}
