/** exceljs's streaming reader: every row of every sheet, its values looked at and dropped. A line of JSON in, a line out. */
import { createInterface } from "node:readline";
import exceljs from "exceljs";
import type { Ran, Work } from "../convert/work.ts";

async function run({ input }: Work): Promise<Ran> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const reader = new exceljs.stream.xlsx.WorkbookReader(input, {
    entries: "emit",
    sharedStrings: "cache",
    hyperlinks: "ignore",
    styles: "cache",
    worksheets: "emit",
  });
  let rows = -1;
  let values = 0;
  for await (const sheet of reader) {
    for await (const row of sheet) {
      rows++;
      values += (row.values as unknown[]).length;
    }
  }
  if (values < rows) throw new Error("rows without cells");
  const used = process.cpuUsage(cpu);
  return { ms: performance.now() - started, cpuMs: (used.user + used.system) / 1_000, rows, bytes: 0 };
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await run(JSON.parse(line) as Work)));
