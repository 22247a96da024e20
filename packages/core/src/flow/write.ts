import type { TableSchema } from "../domain/table-schema.ts";
import type { TypedBatch } from "../parquet/arrow-batch.ts";
import { openParquetWriter, type ParquetWriter } from "../parquet/writer.ts";
import type { ConvertIo, PartOutcome, PartSink } from "../ports/converter.ts";
import { pickRows, runsOf } from "../schema/column-data.ts";
import type { Conformed } from "./conform.ts";

/** Rows read since a part was opened, and what became of them: the part's share of its file. */
interface Share {
  read: number;
  rejected: number;
}

const LATE_KEYS = ["sluice.rows_read", "sluice.rows_loaded", "sluice.rows_rejected", "sluice.rows_skipped"] as const;

export interface TableWriterOptions {
  readonly table: string;
  readonly file: string;
  readonly schema: TableSchema;
  /** A part is closed once it has about this many bytes. */
  readonly partBytes: number;
}

/** Typed batches of one table -> parts, one open at a time. */
export class TableWriter {
  readonly parts: PartOutcome[] = [];
  readonly #options: TableWriterOptions;
  readonly #io: ConvertIo;
  #writer: ParquetWriter | null = null;
  #sink: PartSink | null = null;
  #share: Share = { read: 0, rejected: 0 };

  constructor(options: TableWriterOptions, io: ConvertIo) {
    this.#options = options;
    this.#io = io;
  }

  /** Writes a batch and counts its rejects to the part's share. Throws what the sink throws. */
  async write(batch: Conformed): Promise<void> {
    this.#share.read += batch.rows + batch.rejects.length;
    this.#share.rejected += batch.rejects.length;
    if (batch.rows === 0) return;
    const writer = this.#writer ?? (await this.#open());
    for (const part of splitNested(batch)) await writer.write(part);
    // Data still in open row groups has not gone out; eightfold is about what ZSTD makes of it.
    if (writer.bytesOut >= this.#options.partBytes || writer.bytesIn >= this.#options.partBytes * 8) await this.#close();
  }

  /** Closes the last part. A table without rows gets a part without rows, so that readers see its columns. */
  async finish(): Promise<void> {
    if (this.parts.length === 0 && this.#writer === null) await this.#open();
    if (this.#writer !== null) await this.#close();
  }

  abort(): void {
    this.#writer?.abort();
  }

  async #open(): Promise<ParquetWriter> {
    const sink = await this.#io.openPart(this.#options.table);
    this.#sink = sink;
    this.#writer = openParquetWriter({
      schema: this.#options.schema,
      metadata: new Map([
        ["sluice.file", this.#options.file],
        ["sluice.table", this.#options.table],
      ]),
      lateKeys: LATE_KEYS,
      sink: (bytes) => sink.write(bytes),
    });
    return this.#writer;
  }

  async #close(): Promise<void> {
    if (this.#writer === null || this.#sink === null) return;
    const { rows } = this.#writer;
    const { read, rejected } = this.#share;
    await this.#writer.close(
      new Map([
        ["sluice.rows_read", String(read)],
        ["sluice.rows_loaded", String(rows)],
        ["sluice.rows_rejected", String(rejected)],
        ["sluice.rows_skipped", String(read - rows - rejected)],
      ]),
    );
    this.parts.push({ table: this.#options.table, rows, ...(await this.#sink.close()) });
    this.#writer = null;
    this.#sink = null;
    this.#share = { read: 0, rejected: 0 };
  }
}

/** Nested columns cannot be picked from, but they can be sliced: a batch with gaps becomes one batch for each run of rows. */
function splitNested(batch: Conformed): TypedBatch[] {
  if (batch.kept === null || !batch.columns.some((column) => column.form === "nested")) return [batch];
  let done = 0;
  return runsOf(batch.kept).map(([from, to]) => {
    const rows = to - from;
    const picked = Array.from({ length: rows }, (_, i) => done + i);
    done += rows;
    return {
      rows,
      columns: batch.columns.map((column) =>
        column.form === "nested" ? { ...column, rows, validity: null, data: column.data.slice(from, rows) } : pickRows(column, picked),
      ),
    };
  });
}
