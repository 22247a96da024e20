import type { Field, Schema } from "apache-arrow";
import {
  Compression,
  type RecordBatch,
  Table,
  transformParquetStream,
  writeParquet,
  type WriterProperties,
  WriterPropertiesBuilder,
} from "parquet-wasm";
import { Fault } from "../domain/fault.ts";
import { ROW_GROUP_ROWS } from "../columns/row-group-builder.ts";
import type { TableSchema } from "../domain/table-schema.ts";
import { emptyIpc, toIpc, type TypedBatch } from "./arrow-batch.ts";
import { arrowSchema } from "./arrow-schema.ts";
import { watchTraps } from "./wasm-trap.ts";
import { fillFooter, footerLength, PLACEHOLDER, rowsInFooter } from "./footer.ts";

/** One Parquet file under construction: batches in, bytes out to where it was opened. */
export interface ParquetWriter {
  /** Bytes that went out so far; what lies in open row groups is not among them. */
  readonly bytesOut: number;
  /** Bytes of Arrow data taken so far. */
  readonly bytesIn: number;
  readonly rows: number;
  /** Takes a batch; resolves when the next may come. Throws what the sink threw. */
  write(batch: TypedBatch): Promise<void>;
  /** Writes the footer, with the `late` keys given when the file was opened. Checks that no row was lost on the way. */
  close(late: ReadonlyMap<string, string>): Promise<void>;
  /** Lets go of everything; nothing is written any more. */
  abort(): void;
}

export interface ParquetWriterOptions {
  readonly schema: TableSchema;
  /** Key-value metadata known from the start. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Keys whose values are given at the end. */
  readonly lateKeys: readonly string[];
  /** Takes the file's bytes in order. */
  readonly sink: (bytes: Uint8Array) => Promise<void>;
}

/** Wide rows close a row group earlier: it is held in memory until then. */
const ROW_GROUP_BYTES = 96 * 2 ** 20;
/**
 * parquet-wasm holds a dictionary encoder (72 KiB) and a ZSTD context (95 KiB) for each column of the open row group, and
 * every growth of its memory makes V8 collect garbage: five rows of 16,384 columns took 2.7 GB and 380 s. Wider tables
 * than this are written plain and with Snappy, which need neither: 70 MB and 1 s.
 */
const WIDE_COLUMNS = 1_024;

export function openParquetWriter(options: ParquetWriterOptions): ParquetWriter {
  return new WasmWriter(options);
}

/**
 * Around parquet-wasm's transformParquetStream, which ends a file well when its source fails, drops batches of another
 * schema and does not stop its source when its output is cancelled. So: every batch is made here from one schema, the
 * first error is kept and thrown, the source is closed by us, and the footer's rows are compared with what was written.
 */
class WasmWriter implements ParquetWriter {
  bytesOut = 0;
  bytesIn = 0;
  rows = 0;
  readonly #options: ParquetWriterOptions;
  readonly #schema: Schema;
  #source: ReadableStreamDefaultController<RecordBatch> | null = null;
  #ready: PromiseWithResolvers<void> = Promise.withResolvers();
  #pump: Promise<void> | null = null;
  #error: { readonly error: unknown } | null = null;
  /** The last chunks, held back because the footer is among them. */
  #held: Uint8Array[] = [];
  #aborted = false;

  constructor(options: ParquetWriterOptions) {
    this.#options = options;
    this.#schema = arrowSchema(options.schema);
  }

  async write(batch: TypedBatch): Promise<void> {
    if (batch.rows === 0) return;
    this.#start();
    await this.#ready.promise;
    this.#rethrow();
    this.#ready = Promise.withResolvers();
    const ipc = toIpc(batch, this.#schema);
    this.bytesIn += ipc.length;
    const table = Table.fromIPCStream(ipc);
    const [first, ...others] = table.recordBatches();
    // It shares the batch's memory, and the collector would let go of it much later.
    table.free();
    if (!first || others.length > 0 || first.numRows !== batch.rows) throw new Error("a batch did not survive its way to parquet-wasm");
    this.rows += batch.rows;
    this.#source?.enqueue(first);
  }

  async close(late: ReadonlyMap<string, string>): Promise<void> {
    if (this.#pump === null) this.#held = [writeParquet(Table.fromIPCStream(emptyIpc(this.#schema)), this.#properties())];
    else {
      if (this.#error === null) this.#source?.close();
      await this.#pump;
    }
    this.#rethrow();
    const tail = fillFooter(Buffer.concat(this.#held), late);
    this.#held = [];
    checkRows(tail, this.rows);
    this.bytesOut += tail.length;
    await this.#options.sink(tail);
  }

  abort(): void {
    this.#aborted = true;
    this.#fail(new Error("the part was abandoned"));
  }

  #start(): void {
    if (this.#pump !== null) return;
    const source = new ReadableStream<RecordBatch>(
      {
        start: (controller) => {
          this.#source = controller;
        },
        pull: () => this.#ready.resolve(),
        cancel: () => this.#fail(new Error("parquet-wasm stopped reading")),
      },
      { highWaterMark: 1 },
    );
    const watch = watchTraps();
    this.#pump = watch
      .race(this.#run(source))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => watch.stop());
  }

  async #run(source: ReadableStream<RecordBatch>): Promise<void> {
    const output = (await transformParquetStream(source, this.#properties())) as ReadableStream<Uint8Array>;
    for await (const chunk of output) {
      if (this.#aborted) return;
      // Copied: parquet-wasm may hand out views of its memory, which moves when it grows.
      this.#held.push(chunk.slice());
      while (this.#held.length > 2) await this.#send(this.#held.shift());
    }
  }

  async #send(chunk: Uint8Array | undefined): Promise<void> {
    if (!chunk || this.#error !== null) return;
    this.bytesOut += chunk.length;
    await this.#options.sink(chunk);
  }

  #fail(error: unknown): void {
    this.#error ??= { error };
    this.#ready.resolve();
    try {
      this.#source?.close();
    } catch {
      // It was closed before.
    }
  }

  #rethrow(): void {
    if (this.#error !== null) throw this.#error.error;
  }

  #properties(): WriterProperties {
    const metadata = new Map([...this.#options.metadata, ...this.#options.lateKeys.map((key) => [key, PLACEHOLDER] as const)]);
    const wide = leavesOf(this.#schema.fields) > WIDE_COLUMNS;
    return new WriterPropertiesBuilder()
      .setCompression(wide ? Compression.SNAPPY : Compression.ZSTD)
      .setDictionaryEnabled(!wide)
      .setMaxRowGroupSize(ROW_GROUP_ROWS)
      .setMaxRowGroupBytes(ROW_GROUP_BYTES)
      .setKeyValueMetadata(metadata)
      .setCreatedBy("sluice")
      .build();
  }
}

/** Columns in Parquet's sense: nested fields have one for each leaf. */
function leavesOf(fields: readonly Field[]): number {
  return fields.reduce((sum, { type }) => sum + (type.children?.length ? leavesOf(type.children as Field[]) : 1), 0);
}

/** FileMetaData's third field is num_rows, after version (i32) and schema (list): found by reading the footer back. */
function checkRows(tail: Uint8Array, rows: number): void {
  const found = rowsInFooter(tail.subarray(tail.length - footerLength(tail), -8));
  if (found !== rows) throw new Fault("internal", `parquet-wasm wrote ${found} of ${rows} rows`);
}
