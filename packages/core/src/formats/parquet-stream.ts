import { type RecordBatch as ArrowBatch, type Schema, tableFromIPC } from "apache-arrow";
import { ParquetFile, type ReaderOptions, type RecordBatch } from "parquet-wasm";
import { Fault, isFault, printable } from "../domain/fault.ts";
import { watchTraps } from "../parquet/wasm-trap.ts";
import { blobOf } from "./parquet-blob.ts";
import type { Source } from "./source.ts";

/** A Parquet file whose footer parquet-wasm has read. */
export interface OpenParquet {
  readonly file: ParquetFile;
  readonly schema: Schema;
  /** The schema as an Arrow IPC stream. */
  readonly schemaIpc: Uint8Array;
  readonly source: Source;
}

/** Reads the footer. Throws `unreadable` where it makes no sense. */
export async function openParquet(source: Source): Promise<OpenParquet> {
  const watch = watchTraps();
  const file = await orUnreadable("its footer", () => watch.race(ParquetFile.fromFile(blobOf(source)))).finally(() => watch.stop());
  const schemaIpc = await orUnreadable("its schema", async () => file.schema().intoIPCStream());
  const schema = await orUnreadable("its schema", async () => tableFromIPC(schemaIpc).schema);
  return { file, schema, schemaIpc, source };
}

type ReadOptions = Pick<ReaderOptions, "batchSize" | "columns">;

/** Batches of the file's rows in order. Throws `unreadable` for pages that make no sense. */
export async function* recordBatches(opened: OpenParquet, options: ReadOptions): AsyncGenerator<ArrowBatch> {
  for await (const { ipc } of ipcBatches(opened, options)) yield* tableFromIPC(ipc).batches;
}

/** The same, each as an Arrow IPC stream of its own. */
export async function* ipcBatches(
  { file }: OpenParquet,
  options: ReadOptions,
): AsyncGenerator<{ readonly ipc: Uint8Array; readonly rows: number }> {
  const watch = watchTraps();
  let reader: ReadableStreamDefaultReader<RecordBatch> | null = null;
  let rows = 0;
  try {
    const stream = await orUnreadable("its pages", () => watch.race(file.stream({ ...options, concurrency: 1 })));
    reader = (stream as ReadableStream<RecordBatch>).getReader();
    for (;;) {
      const next = reader.read();
      const { done, value } = await orUnreadable(`its pages after row ${rows}`, () => watch.race(next));
      if (done) return;
      const batchRows = value.numRows;
      yield { ipc: value.intoIPCStream(), rows: batchRows };
      rows += batchRows;
    }
  } finally {
    watch.stop();
    reader?.cancel().catch(() => {
      // It has ended or failed already.
    });
  }
}

/** What parquet-wasm throws, traps included, is the file's fault; what the store throws is latched by its source. */
export async function orUnreadable<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (isFault(error)) throw error;
    const why = error instanceof Error ? (error.name === "RuntimeError" ? "its decoder gave up" : error.message) : String(error);
    throw new Fault("unreadable", `no readable Parquet: ${what} cannot be read (${printable(why, 300)})`, { cause: error });
  }
}
