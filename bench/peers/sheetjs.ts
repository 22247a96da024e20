/** SheetJS: the whole workbook at once, in its faster dense form, without formatted texts. A line of JSON in, a line out. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { read } from "@e965/xlsx";
import type { Ran, Work } from "../convert/work.ts";

function run({ input }: Work): Ran {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const book = read(readFileSync(input), { type: "buffer", dense: true, cellFormula: false, cellHTML: false, cellText: false });
  const rows = book.SheetNames.reduce((sum, name) => sum + (book.Sheets[name]?.["!data"]?.length ?? 1) - 1, 0);
  const used = process.cpuUsage(cpu);
  return { ms: performance.now() - started, cpuMs: (used.user + used.system) / 1_000, rows, bytes: 0 };
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(run(JSON.parse(line) as Work)));
