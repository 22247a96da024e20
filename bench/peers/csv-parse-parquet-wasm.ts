/**
 * The obvious composition of packages: csv-parse -> typed arrays -> Arrow -> parquet-wasm (zstd), streamed. Column types are
 * given from the head of the file, which spares it the finding out. A line of JSON in, a line out.
 */
import { createReadStream, createWriteStream, readFileSync, statSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import {
  makeData,
  Float64,
  Int64,
  RecordBatch,
  Schema,
  Field,
  Struct,
  tableToIPC,
  Table as ArrowTable,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { parse } from "csv-parse";
import { Compression, type RecordBatch as WasmBatch, Table, transformParquetStream, WriterPropertiesBuilder } from "parquet-wasm";
import type { Ran, Work } from "../convert/work.ts";

const BATCH_ROWS = 16_384;
type Kind = "int" | "double" | "text";

function kindsOf(path: string): { names: string[]; kinds: Kind[] } {
  const lines = readFileSync(path)
    .subarray(0, 64 * 1024)
    .toString("utf8")
    .split("\n")
    .slice(0, -1);
  const rows = lines.slice(1).map((line) => line.split(","));
  const names = (lines[0] ?? "").split(",");
  const kinds = names.map((_, i): Kind => {
    const cells = rows.map((row) => row[i] ?? "").filter(Boolean);
    if (cells.every((cell) => /^-?\d{1,15}$/.test(cell))) return "int";
    return cells.every((cell) => /^-?\d+(\.\d+)?$/.test(cell)) ? "double" : "text";
  });
  return { names, kinds };
}

function columnOf(kind: Kind, rows: readonly string[][], i: number) {
  if (kind === "text")
    return vectorFromArray(
      rows.map((row) => row[i] ?? null),
      new Utf8(),
    ).data[0];
  const validity = new Uint8Array((rows.length + 7) >> 3);
  let nulls = 0;
  const values = kind === "int" ? new BigInt64Array(rows.length) : new Float64Array(rows.length);
  rows.forEach((row, at) => {
    const cell = row[i] ?? "";
    if (cell === "") {
      nulls++;
      return;
    }
    validity[at >> 3] = (validity[at >> 3] ?? 0) | (1 << (at & 7));
    if (values instanceof BigInt64Array) values[at] = BigInt(cell);
    else values[at] = Number(cell);
  });
  const nullBitmap = nulls === 0 ? null : validity;
  return values instanceof BigInt64Array
    ? makeData({ type: new Int64(), length: rows.length, nullCount: nulls, nullBitmap, data: values })
    : makeData({ type: new Float64(), length: rows.length, nullCount: nulls, nullBitmap, data: values });
}

async function run({ input, output }: Work): Promise<Ran> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const { names, kinds } = kindsOf(input);
  const schema = new Schema(
    names.map((name, i) => new Field(name, kinds[i] === "int" ? new Int64() : kinds[i] === "double" ? new Float64() : new Utf8(), true)),
  );
  let rows = 0;
  async function* batches(): AsyncGenerator<WasmBatch> {
    let held: string[][] = [];
    const flush = (): WasmBatch => {
      const children = kinds.map((kind, i) => columnOf(kind, held, i)).flatMap((data) => data ?? []);
      const data = makeData({ type: new Struct(schema.fields), length: held.length, nullCount: 0, children });
      rows += held.length;
      held = [];
      const [batch] = Table.fromIPCStream(tableToIPC(new ArrowTable(schema, [new RecordBatch(schema, data)]), "stream")).recordBatches();
      if (!batch) throw new Error("no batch");
      return batch;
    };
    const parser = createReadStream(input, { highWaterMark: 1 << 20 }).pipe(parse({ from_line: 2, relax_column_count: true }));
    for await (const row of parser as AsyncIterable<string[]>) {
      held.push(row);
      if (held.length === BATCH_ROWS) yield flush();
    }
    if (held.length > 0) yield flush();
  }
  const properties = new WriterPropertiesBuilder().setCompression(Compression.ZSTD).setMaxRowGroupSize(122_880).build();
  const out = createWriteStream(output);
  const stream = (await transformParquetStream(ReadableStream.from(batches()), properties)) as ReadableStream<Uint8Array>;
  for await (const chunk of stream) if (!out.write(chunk.slice())) await once(out, "drain");
  out.end();
  await once(out, "finish");
  const used = process.cpuUsage(cpu);
  return { ms: performance.now() - started, cpuMs: (used.user + used.system) / 1_000, rows, bytes: statSync(output).size };
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await run(JSON.parse(line) as Work)));
