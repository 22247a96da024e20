import { crc32 } from "node:zlib";
import type { ColumnChunk } from "../columns/column-chunk.ts";
import type { Column, TableSchema } from "../domain/table-schema.ts";
import { schemaMessage } from "./arrow-schema.ts";
import { encodeChunk } from "./chunk-encoder.ts";
import { type Codec, compress } from "./compress.ts";
import type { EncodedChunk, RawPage } from "./encoded-chunk.ts";
import { type PagePlace, RowGroupRecord, writeFooter, writePageHeader } from "./flat-footer.ts";
import { PageMemory } from "./page-memory.ts";
import { CompactWriter } from "./thrift-writer.ts";

/** One Parquet file of flat columns under construction: row groups of column chunks in, bytes out. */
export interface FlatWriter {
  /** Bytes of the file so far: what went out, what is ready to, and what that adds to the footer. */
  readonly bytesOut: number;
  /** Bytes of pages that are being compressed, as they are without. */
  readonly bytesHeld: number;
  readonly rows: number;
  /**
   * Writes a row group: a chunk for each column of the schema, in its order, each of `rows` rows. Resolves when the chunks may
   * be filled again, which is before their bytes are out; earlier row groups may make it wait. Throws what the sink threw.
   */
  write(chunks: readonly ColumnChunk[], rows: number): Promise<void>;
  /** Resolves when every row group so far is compressed and, but for some last bytes, out. */
  drain(): Promise<void>;
  /** Writes what is under way and the footer, with more key-value metadata. */
  close(late: ReadonlyMap<string, string>): Promise<void>;
  /** Lets go of everything; resolves once the sink is written to no more. */
  abort(): Promise<void>;
}

export interface FlatWriterOptions {
  readonly schema: TableSchema;
  /** Key-value metadata known from the start. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly compression: Codec;
  /** Takes the file's bytes in order. */
  readonly sink: (bytes: Uint8Array) => Promise<void>;
  /** A data page is cut at about this many bytes, 1 MiB where nothing is said. */
  readonly pageBytes?: number;
}

const PAGE_BYTES = 2 ** 20;
/** Uncompressed page bytes under way before a writer has to wait. */
const HELD_BYTES = 16 * 2 ** 20;
/** Chunks below this are not compressed: a codec's context takes longer to make than they take to write. */
const TINY_CHUNK = 512;
/** Pieces of this size go to the sink as they are; smaller ones are gathered until they make one. */
const OUT_BYTES = 64 * 1024;

export function openFlatWriter(options: FlatWriterOptions): FlatWriter {
  return new FlatFileWriter(options);
}

interface OpenPage {
  readonly page: RawPage;
  readonly compressed: Uint8Array | Promise<Uint8Array>;
}

interface OpenChunk {
  readonly column: Column;
  readonly codec: Codec;
  readonly chunk: EncodedChunk;
  readonly pages: readonly OpenPage[];
}

/**
 * Encodes on the caller's thread, compresses on libuv's, and writes in order: `#tail` is the chain of chunks that wait for
 * their bytes. What is held is bounded, so a slow sink or a slow codec slows the caller down.
 */
class FlatFileWriter implements FlatWriter {
  rows = 0;
  readonly #options: FlatWriterOptions;
  readonly #memory = new PageMemory();
  readonly #thrift = new CompactWriter();
  readonly #groups: RowGroupRecord[] = [];
  #out: Uint8Array[] = [];
  #outLength = 0;
  #offset = 0;
  /** What the row groups so far add to the footer. */
  #footerBytes = 0;
  #tail: Promise<void> = Promise.resolve();
  /** By column: how much of a page was left of it once compressed, at most, in the last row group. */
  readonly #ratios = new Map<number, number>();
  #waiting: (() => void) | null = null;
  #error: { readonly error: unknown } | null = null;

  constructor(options: FlatWriterOptions) {
    this.#options = options;
    this.#put(Buffer.from("PAR1"));
  }

  get bytesOut(): number {
    return this.#offset + this.#footerBytes;
  }

  get bytesHeld(): number {
    return this.#memory.held;
  }

  async write(chunks: readonly ColumnChunk[], rows: number): Promise<void> {
    const { columns } = this.#options.schema;
    if (chunks.length !== columns.length) throw new Error(`${chunks.length} chunks for ${columns.length} columns`);
    if (rows === 0) return;
    const group = new RowGroupRecord();
    group.rows = rows;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      const chunk = chunks[i];
      if (!column || chunk?.rows !== rows) throw new Error(`column ${column?.name} has ${chunk?.rows} rows of ${rows}`);
      if (this.#memory.held > HELD_BYTES) await this.#room();
      this.#rethrow();
      this.#encode(column, chunk, group);
    }
    this.rows += rows;
    this.#groups.push(group);
    if (this.#memory.held > HELD_BYTES) await this.#room();
    this.#rethrow();
  }

  async drain(): Promise<void> {
    await this.#tail;
    this.#rethrow();
  }

  async close(late: ReadonlyMap<string, string>): Promise<void> {
    await this.drain();
    this.#memory.close();
    const { schema, metadata } = this.#options;
    const pairs = new Map([...metadata, ...late, ["ARROW:schema", schemaMessage(schema)] as const]);
    for (const bytes of writeFooter({ schema, rows: this.rows, groups: this.#groups, metadata: pairs, offset: this.#offset })) {
      this.#put(bytes);
    }
    this.#footerBytes = 0;
    await this.#flush();
  }

  async abort(): Promise<void> {
    this.#fail(new Error("the part was abandoned"));
    await this.#tail;
    this.#memory.close();
  }

  #encode(column: Column, from: ColumnChunk, group: RowGroupRecord): void {
    const chunk = encodeChunk({ ...from, type: column.type }, this.#memory, this.#options.pageBytes ?? PAGE_BYTES);
    const length = chunk.pages.reduce((sum, page) => sum + page.raw.bytes.length, 0);
    const codec = length < TINY_CHUNK ? "none" : this.#options.compression;
    const ratio = this.#ratios.get(column.id) ?? 1;
    const isText = column.type.kind === "text" || column.type.kind === "binary";
    const pages = chunk.pages.map((page): OpenPage => ({ page, compressed: compress(codec, page.raw.bytes, ratio, isText) }));
    // Until the chain comes to it nobody else listens.
    for (const { compressed } of pages) if (compressed instanceof Promise) compressed.catch(() => undefined);
    this.#chain(() => this.#finish({ column, codec, chunk, pages }, group));
  }

  /** Writes a chunk's pages as they come from their codec, and records it. */
  async #finish({ column, codec, chunk, pages }: OpenChunk, group: RowGroupRecord): Promise<void> {
    const places: PagePlace[] = [];
    let plainLength = 0;
    let share = 0;
    for (const { page, compressed } of pages) {
      const bytes = compressed instanceof Promise ? await compressed : compressed;
      const out = this.#thrift;
      out.clear();
      writePageHeader(out, page, bytes.length, crc32(bytes) | 0);
      const header = out.bytes().slice();
      places.push({ offset: this.#offset, length: header.length + bytes.length });
      plainLength += header.length + page.raw.bytes.length;
      share = Math.max(share, bytes.length / page.raw.bytes.length);
      this.#put(header);
      this.#put(bytes === page.raw.bytes ? bytes.slice() : bytes);
      this.#memory.release(page.raw);
      if (bytes.length >= OUT_BYTES || this.#outLength >= OUT_BYTES) await this.#flush();
    }
    this.#ratios.set(column.id, share);
    const before = group.length;
    group.add({ column, codec, rows: group.rows, chunk, places, plainLength });
    this.#footerBytes += group.length - before;
    if (this.#memory.held <= HELD_BYTES) this.#wake();
  }

  #put(bytes: Uint8Array): void {
    this.#out.push(bytes);
    this.#outLength += bytes.length;
    this.#offset += bytes.length;
  }

  async #flush(): Promise<void> {
    const pieces = this.#out;
    this.#out = [];
    this.#outLength = 0;
    for (let i = 0; i < pieces.length;) {
      const from = i;
      while (i < pieces.length && (pieces[i]?.length ?? 0) < OUT_BYTES) i++;
      const large = pieces[i];
      if (i > from) await this.#options.sink(Buffer.concat(pieces.slice(from, i)));
      if (large !== undefined) await this.#options.sink(large);
      i++;
    }
  }

  /** After everything before it; not at all after a failure. */
  #chain(act: () => Promise<void>): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#error !== null) return;
      try {
        await act();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#error !== null || this.#memory.held <= HELD_BYTES) resolve();
      else this.#waiting = resolve;
    });
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = null;
  }

  #fail(error: unknown): void {
    this.#error ??= { error };
    this.#wake();
  }

  #rethrow(): void {
    if (this.#error !== null) throw this.#error.error;
  }
}
