/**
 * A process that reads workbooks into typed columns with the engine's reader and keeps nothing: a line of JSON in, a line
 * out. What its peers do is no more than that.
 */
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { excel } from "@sluice/core/formats/excel";
import { DEFAULT_LIMITS } from "@sluice/core/ports/converter";
import type { Ran, Work } from "./work.ts";

async function run(work: Work): Promise<Ran> {
  const file = await open(work.input);
  const { size } = await file.stat();
  const source = {
    size,
    read: async (from: number, to: number) => {
      const buffer = Buffer.allocUnsafe(Math.max(Math.min(to, size) - from, 0));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
      return buffer.subarray(0, bytesRead);
    },
  };
  const cpu = process.cpuUsage();
  const started = performance.now();
  const { tables } = await excel.open({
    name: "xlsx",
    decoded: () => {
      throw new Error("a workbook is read out of order");
    },
    random: async () => source,
    rawSize: size,
    options: {},
    limits: { ...DEFAULT_LIMITS, chunkBytes: 512 * 1024 },
    ragged: "misfit",
  });
  let rows = 0;
  for (const table of tables) for await (const batch of table.batches()) rows += batch.rows;
  const ms = performance.now() - started;
  const used = process.cpuUsage(cpu);
  await file.close();
  return { ms, cpuMs: (used.user + used.system) / 1_000, rows, bytes: 0 };
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await run(JSON.parse(line) as Work)));
