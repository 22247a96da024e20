/**
 * The Parquet encoder alone, beside parquet-wasm, on the same batches in memory, with the size of DuckDB's file for the same csv:
 *
 *   taskset -c 1 node bench/convert/encoder.ts [taxi|wide|text|sparse] [MB of csv] [rounds]
 *
 * Times are the least of the rounds, in CPU-seconds too: other work on the machine only ever adds.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { RowGroupBuilder } from "@sluice/core/columns/row-group-builder";
import { DEFAULT_RULES } from "@sluice/core/domain/options";
import type { TableSchema } from "@sluice/core/domain/table-schema";
import { convert } from "@sluice/core/flow/convert";
import { columnDataOf } from "@sluice/core/formats/arrow-columns";
import type { TypedBatch } from "@sluice/core/parquet/arrow-batch";
import type { Codec } from "@sluice/core/parquet/compress";
import { openFlatWriter } from "@sluice/core/parquet/flat-writer";
import { openParquetWriter } from "@sluice/core/parquet/writer";
import { DEFAULT_LIMITS, type PartSink } from "@sluice/core/ports/converter";
import { tableFromIPC } from "apache-arrow";
import { readParquet } from "parquet-wasm";
import { type DataName, writeData } from "./data.ts";

const [, , name = "taxi", megabytes = "50", rounds = "5"] = process.argv;
const folder = mkdtempSync(join(tmpdir(), "sluice-bench-encoder-"));

/** The csv's rows as batches of 8,192, and its schema. */
async function load(path: string): Promise<{ schema: TableSchema; batches: TypedBatch[] }> {
  const csv = readFileSync(path);
  const parts: Uint8Array[] = [];
  const sink: PartSink = {
    write: async (bytes) => void parts.push(bytes),
    close: async () => ({ bytes: 0, sha256: "" }),
    abort: async () => {},
  };
  const io = {
    read: async (offset: number, length: number) => csv.subarray(offset, offset + length),
    openPart: async () => sink,
    openRejects: async () => sink,
    progress: () => {},
  };
  const request = { name: "a.csv", bytes: csv.length, options: {}, rules: DEFAULT_RULES, schemas: {}, mode: "load" } as const;
  const who = { file: "0197c0de-0000-7000-8000-000000000001", loadedAtMs: 0, limits: DEFAULT_LIMITS };
  const outcome = await convert({ ...request, ...who }, io, new AbortController().signal);
  if (outcome.kind !== "tables" || !outcome.tables[0]) throw new Error(JSON.stringify(outcome));
  const table = tableFromIPC(readParquet(Buffer.concat(parts), { batchSize: 8_192 }).intoIPCStream());
  const batches = table.batches.map((batch) => ({ rows: batch.numRows, columns: batch.data.children.map(columnDataOf) }));
  return { schema: outcome.tables[0].schema, batches };
}

type Encode = (sink: (bytes: Uint8Array) => Promise<void>) => Promise<void>;

async function measure(label: string, csvBytes: number, encode: Encode): Promise<void> {
  const walls: number[] = [];
  const cpus: number[] = [];
  let bytes = 0;
  for (let round = 0; round < Number(rounds); round++) {
    bytes = 0;
    const cpu = process.cpuUsage();
    const started = performance.now();
    await encode(async (chunk) => void (bytes += chunk.length));
    walls.push(performance.now() - started);
    const used = process.cpuUsage(cpu);
    cpus.push((used.user + used.system) / 1_000);
  }
  const [wall, cpu] = [Math.min(...walls), Math.min(...cpus)];
  const speed = (ms: number) => `${(csvBytes / 1_000 / ms).toFixed(0).padStart(5)} MB/s`;
  console.log(
    `${label.padEnd(32)} ${speed(wall)} ${speed(cpu)} by CPU  ${cpu.toFixed(0).padStart(6)} ms CPU ${(bytes / 1e6).toFixed(2).padStart(8)} MB`,
  );
}

const path = join(folder, "a.csv");
try {
  const { bytes: csvBytes, rows } = writeData(name as Exclude<DataName, "small">, path, Number(megabytes) * 1e6);
  const { schema, batches } = await load(path);
  console.log(`${name}: ${(csvBytes / 1e6).toFixed(0)} MB of csv, ${rows} rows, ${schema.columns.length} columns; MB/s are of csv`);
  const facts = { schema, metadata: new Map<string, string>() };
  for (const compression of ["zstd", "snappy", "none"] satisfies Codec[]) {
    await measure(`own encoder, ${compression}`, csvBytes, async (sink) => {
      const writer = openFlatWriter({ ...facts, compression, sink });
      const group = new RowGroupBuilder(schema);
      const end = async () => {
        await writer.write(group.chunks(), group.rows);
        group.clear();
      };
      for (const batch of batches) {
        group.append(batch.columns, batch.rows);
        if (group.full) await end();
      }
      await end();
      await writer.close(new Map());
    });
  }
  await measure("parquet-wasm, zstd", csvBytes, async (sink) => {
    const writer = openParquetWriter({ ...facts, lateKeys: [], sink });
    for (const batch of batches) await writer.write(batch);
    await writer.close(new Map());
  });
  const duck = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
  const copy = join(folder, "duck.parquet");
  writeFileSync(copy, "");
  await duck.run(`copy (from read_csv('${path}')) to '${copy}' (format parquet, compression zstd)`);
  console.log(`${"DuckDB's file, zstd".padEnd(65)} ${(statSync(copy).size / 1e6).toFixed(2).padStart(8)} MB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
