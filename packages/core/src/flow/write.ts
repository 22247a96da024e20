import type { ColumnChunk } from "../columns/column-chunk.ts";
import { RowGroupBuilder } from "../columns/row-group-builder.ts";
import { Fault } from "../domain/fault.ts";
import type { TableSchema } from "../domain/table-schema.ts";
import type { TypedBatch } from "../parquet/arrow-batch.ts";
import type { Codec } from "../parquet/compress.ts";
import { type FlatWriter, openFlatWriter } from "../parquet/flat-writer.ts";
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

/** Before it is compressed, data is about this many times as large as after it: nothing else is known of what has not gone out. */
const SQUEEZE = 8;

export interface TableWriterOptions {
  readonly table: string;
  readonly file: string;
  readonly schema: TableSchema;
  /** A part is closed once it has about this many bytes. */
  readonly partBytes: number;
  /** How pages are compressed, ZSTD where nothing is said. Tables with nested columns are always ZSTD. */
  readonly compression?: Codec;
}

/**
 * Rows of one table -> parts, one open at a time. They come as typed batches (`write`) or, from readers that fill column chunks
 * themselves, as whole row groups (`writeChunks`); the two may be mixed. Tables of flat columns are written by our own
 * encoder, those with a nested column by parquet-wasm, which takes batches only.
 */
export class TableWriter {
  readonly parts: PartOutcome[] = [];
  readonly #options: TableWriterOptions;
  readonly #io: ConvertIo;
  readonly #group: RowGroupBuilder | null;
  #writer: PartWriter | null = null;
  #sink: PartSink | null = null;
  /** The open part has enough bytes: the next row goes into another, rejects behind its last row still count to it. */
  #full = false;
  /** Sinks of `parts`. */
  readonly #closed: PartSink[] = [];
  #share: Share = { read: 0, rejected: 0 };

  constructor(options: TableWriterOptions, io: ConvertIo) {
    this.#options = options;
    this.#io = io;
    this.#group = options.schema.columns.some((column) => column.type.kind === "nested") ? null : new RowGroupBuilder(options.schema);
  }

  /** Writes a batch and counts its rejects to the part's share. Throws what the sink throws. */
  async write(batch: Conformed): Promise<void> {
    if (this.#full && batch.rows > 0) await this.#close();
    this.#count(batch.rows, batch.rejects.length, batch.skipped);
    if (batch.rows === 0) return;
    const group = this.#group;
    if (group === null) {
      const { nested } = await this.#nestedPart();
      for (const part of splitNested(batch)) await nested.write(part);
      // Data still in open row groups has not gone out.
      this.#full = nested.bytesOut >= this.#options.partBytes || nested.bytesIn >= this.#options.partBytes * SQUEEZE;
      return;
    }
    group.append(batch.columns, batch.rows);
    if (group.full || group.bytes >= this.#options.partBytes * SQUEEZE) await this.#endGroup(group);
  }

  /**
   * Writes a row group: a chunk for each column of the schema, in its order, each of `rows` rows (ROW_GROUP_ROWS and
   * ROW_GROUP_BYTES say about how many). `rejected` rows of the file stood among them. The chunks may be filled again once it
   * resolves; their bytes go on being compressed and sent meanwhile. Throws what the sink throws, also for earlier row groups.
   */
  async writeChunks(chunks: readonly ColumnChunk[], rows: number, rejected: number): Promise<void> {
    if (this.#group === null) throw new Error("a table with nested columns has no column chunks");
    if (this.#group.rows > 0) await this.#endGroup(this.#group);
    if (this.#full && rows > 0) await this.#close();
    this.#count(rows, rejected);
    if (rows > 0) await this.#writeGroup(chunks, rows);
  }

  /** Closes the last part. A table without rows gets a part without rows, so that readers see its columns; one without columns none. */
  async finish(): Promise<void> {
    if (this.#options.schema.columns.length === 0) return;
    if (this.#group !== null && this.#group.rows > 0) await this.#endGroup(this.#group);
    if (this.parts.length === 0 && this.#writer === null) await (this.#group === null ? this.#nestedPart() : this.#flatPart());
    if (this.#writer !== null) await this.#close();
  }

  /** Lets go of the open part, for an end with an error: the caller of the conversion drops its object. */
  async abort(): Promise<void> {
    await writerOf(this.#writer)?.abort();
  }

  /** Takes back everything: the open part and those that were closed, as if they had never been opened. It writes nothing more. */
  async drop(): Promise<void> {
    await this.abort();
    await this.#sink?.abort();
    for (const sink of this.#closed) await sink.abort();
    this.parts.length = 0;
    this.#writer = null;
    this.#sink = null;
  }

  #count(rows: number, rejected: number, skipped = 0): void {
    const { schema, table } = this.#options;
    if (rows > 0 && schema.columns.length === 0) throw new Fault("unreadable", `table ${table}: it has rows, but no columns`);
    this.#share.read += rows + rejected + skipped;
    this.#share.rejected += rejected;
  }

  async #endGroup(group: RowGroupBuilder): Promise<void> {
    await this.#writeGroup(group.chunks(), group.rows);
    group.clear();
  }

  async #writeGroup(chunks: readonly ColumnChunk[], rows: number): Promise<void> {
    const { flat } = await this.#flatPart();
    await flat.write(chunks, rows);
    if (flat.bytesOut + flat.bytesHeld < this.#options.partBytes) return;
    // It may be full: how much the pages under way take is known once they are compressed.
    await flat.drain();
    this.#full = flat.bytesOut >= this.#options.partBytes;
  }

  async #flatPart(): Promise<PartWriter & { kind: "flat" }> {
    if (this.#writer?.kind === "flat") return this.#writer;
    const { schema, compression = "zstd" } = this.#options;
    const part = { kind: "flat", flat: openFlatWriter({ schema, compression, ...(await this.#openSink()) }) } as const;
    this.#writer = part;
    return part;
  }

  async #nestedPart(): Promise<PartWriter & { kind: "nested" }> {
    if (this.#writer?.kind === "nested") return this.#writer;
    const { schema } = this.#options;
    const part = { kind: "nested", nested: openParquetWriter({ schema, lateKeys: LATE_KEYS, ...(await this.#openSink()) }) } as const;
    this.#writer = part;
    return part;
  }

  async #openSink() {
    const sink = await this.#io.openPart(this.#options.table);
    this.#sink = sink;
    const metadata = new Map([
      ["sluice.file", this.#options.file],
      ["sluice.table", this.#options.table],
    ]);
    return { metadata, sink: (bytes: Uint8Array) => sink.write(bytes) };
  }

  async #close(): Promise<void> {
    const writer = writerOf(this.#writer);
    if (writer === null || this.#sink === null) return;
    const { rows } = writer;
    const { read, rejected } = this.#share;
    const facts = [read, rows, rejected, read - rows - rejected];
    await writer.close(new Map(LATE_KEYS.map((key, i) => [key, String(facts[i])])));
    this.parts.push({ table: this.#options.table, rows, ...(await this.#sink.close()) });
    this.#closed.push(this.#sink);
    this.#writer = null;
    this.#sink = null;
    this.#full = false;
    this.#share = { read: 0, rejected: 0 };
  }
}

type PartWriter = { readonly kind: "flat"; readonly flat: FlatWriter } | { readonly kind: "nested"; readonly nested: ParquetWriter };

function writerOf(part: PartWriter | null): FlatWriter | ParquetWriter | null {
  if (part === null) return null;
  return part.kind === "flat" ? part.flat : part.nested;
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
