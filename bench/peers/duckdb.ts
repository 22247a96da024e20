/** DuckDB's own way from a file to Parquet (zstd), a line of JSON in, a line out. The argument is its number of threads. */
import { statSync } from "node:fs";
import { createInterface } from "node:readline";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Ran, Work } from "../convert/work.ts";

const threads = process.argv[2] ?? "1";
const instance = await DuckDBInstance.create(":memory:", { threads });
const connection = await instance.connect();

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

for await (const line of createInterface({ input: process.stdin })) {
  const { name, input, output } = JSON.parse(line) as Work;
  const reader = name.endsWith("json") ? "read_json" : "read_csv";
  const cpu = process.cpuUsage();
  const started = performance.now();
  const result = await connection.runAndReadAll(
    `COPY (SELECT * FROM ${reader}(${quoted(input)})) TO ${quoted(output)} (FORMAT parquet, COMPRESSION zstd)`,
  );
  const ms = performance.now() - started;
  const used = process.cpuUsage(cpu);
  const rows = Number(result.getRows()[0]?.[0] ?? 0);
  const ran: Ran = { ms, cpuMs: (used.user + used.system) / 1_000, rows, bytes: statSync(output).size };
  console.log(JSON.stringify(ran));
}
