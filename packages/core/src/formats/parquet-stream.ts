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
  readonly source: Source;
}

/** Reads the footer. Throws `unreadable` where it makes no sense. */
export async function openParquet(source: Source): Promise<OpenParquet> {
  const watch = watchTraps();
  const file = await orUnreadable("its footer", () => watch.race(ParquetFile.fromFile(blobOf(source)))).finally(() => watch.stop());
  const schema = await orUnreadable("its schema", async () => tableFromIPC(file.schema().intoIPCStream()).schema);
  return { file, schema, source };
}

/** Batches of the file's rows in order, and the size of each as Arrow. Throws `unreadable` for pages that make no sense. */
export async function* recordBatches(
  { file }: OpenParquet,
  options: Pick<ReaderOptions, "batchSize" | "columns">,
): AsyncGenerator<{ readonly batch: ArrowBatch; readonly bytes: number }> {
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
      const ipc = value.intoIPCStream();
      for (const batch of tableFromIPC(ipc).batches) {
        yield { batch, bytes: ipc.length };
        rows += batch.numRows;
      }
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
    const why = error instanceof Error ? error.message : String(error);
    throw new Fault("unreadable", `no readable Parquet: ${what} cannot be read (${printable(why, 300)})`, { cause: error });
  }
}
