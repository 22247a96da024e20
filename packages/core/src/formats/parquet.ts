import type { RecordBatch as ArrowBatch, Schema } from "apache-arrow";
import type { ParquetFile } from "parquet-wasm";
import { MAIN_TABLE } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import type { SourceColumn } from "../schema/enforce.ts";
import { columnDataOf, columnTypeOf, cutIn } from "./arrow-columns.ts";
import type { Format, FormatInput, OpenedFile, SourceBatch } from "./format.ts";
import { headerNames } from "./header-names.ts";
import { type Int96File, readInt96 } from "./parquet-int96.ts";
import { checkedPages } from "./parquet-pages.ts";
import { openParquet, recordBatches } from "./parquet-stream.ts";
import type { Source } from "./source.ts";

/** A footer holds a few hundred bytes a column and row group; one beyond this is an attack or garbage. */
const MAX_FOOTER_BYTES = 256 * 2 ** 20;
const BATCH_ROWS = 8_192;
/** Rows of a batch are chosen so that it takes about this much memory. */
const BATCH_BYTES = 8 * 2 ** 20;

/** Parquet, flat or nested, read a batch at a time by ranges of the raw bytes. */
export const parquet: Format = {
  names: ["parquet"],

  async open(input: FormatInput): Promise<OpenedFile> {
    const bytes = await input.random();
    await checkEnds(bytes);
    const source = await checkedPages(bytes);
    const file = await openParquet(source);
    const { schema } = file;
    if (schema.fields.length > input.limits.columns) {
      throw new Fault("limit_exceeded", `the file has ${schema.fields.length} columns, at most ${input.limits.columns} are allowed`, {
        field: "columns",
        value: schema.fields.length,
        limit: input.limits.columns,
      });
    }
    const exact = await orDamage(source, () => readInt96(file));
    const columns = columnsOf(exact.schema);
    return { dialect: {}, tables: [{ table: MAIN_TABLE, columns, batches: () => batches(exact, source, input) }] };
  },
};

/** The magic bytes at both ends and a footer that fits between them: parquet-wasm need not be asked about garbage. */
async function checkEnds(source: Source): Promise<void> {
  const refuse = (why: string): never => {
    throw new Fault("unreadable", `no readable Parquet: ${why}`);
  };
  if (source.size < 12) refuse(`it has ${source.size} bytes, the shortest has 12`);
  const tail = Buffer.from(await source.read(source.size - 8, source.size));
  if (tail.toString("latin1", 4) !== "PAR1") refuse("the last four bytes are not PAR1, so it is cut off or still being written");
  const footer = tail.readUInt32LE(0);
  if (footer > source.size - 12) refuse(`its footer claims ${footer} bytes, the file has ${source.size}`);
  if (footer > MAX_FOOTER_BYTES) {
    throw new Fault("limit_exceeded", `the Parquet footer takes ${footer} bytes, at most ${MAX_FOOTER_BYTES} are allowed (limit footer)`, {
      field: "footer",
      value: footer,
      limit: MAX_FOOTER_BYTES,
    });
  }
}

function columnsOf(schema: Schema): SourceColumn[] {
  const names = headerNames(schema.fields.map((field) => field.name));
  return schema.fields.map((field, i) => {
    const type = columnTypeOf(field.type);
    const name = names[i] ?? field.name;
    if (type === null) {
      throw new Fault("unsupported_format", `column ${JSON.stringify(name)} is ${String(field.type)}, which is not yet supported`, {
        field: name,
      });
    }
    return { name, type };
  });
}

async function* batches(opened: Int96File, source: CheckedSource, input: FormatInput): AsyncGenerator<SourceBatch> {
  const { file } = opened;
  const total = rowsOf(file);
  const batchSize = Math.max(1, Math.min(BATCH_ROWS, Math.floor(BATCH_BYTES / widestRow(file))));
  const stream = recordBatches(opened, { batchSize });
  let rows = 0;
  let decoded = 0;
  let { cut } = opened;
  try {
    for (;;) {
      const { done, value } = await orDamage(source, () => stream.next());
      if (done) break;
      const { batch, bytes } = value;
      decoded += bytes;
      checkDecoded(decoded, input.limits.decodedBytes);
      const share = total === 0 ? 1 : Math.min((rows + batch.numRows) / total, 1);
      yield sourceBatch(batch, rows, Math.floor(input.rawSize * share), cut);
      cut = 0;
      rows += batch.numRows;
    }
  } finally {
    await stream.return(undefined);
  }
  if (rows !== total) throw new Fault("unreadable", `no readable Parquet: its footer says ${total} rows, its pages hold ${rows}`);
}

type CheckedSource = Awaited<ReturnType<typeof checkedPages>>;

/** A page that does not agree with its checksum is what went wrong, whatever parquet-wasm made of it. */
async function orDamage<T>(source: CheckedSource, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw source.damage ?? error;
  }
}

/** The rows that the footer promises, which it says twice. */
function rowsOf(file: ParquetFile): number {
  const metadata = file.metadata();
  const total = metadata.fileMetadata().numRows();
  const inGroups = metadata.rowGroups().reduce((sum, group) => sum + group.numRows(), 0);
  if (total === inGroups) return total;
  throw new Fault("unreadable", `no readable Parquet: its footer says ${total} rows, its row groups say ${inGroups}`);
}

function checkDecoded(decoded: number, limit: number): void {
  if (decoded <= limit) return;
  throw new Fault("limit_exceeded", `more than ${limit} bytes after decoding (limit decodedBytes)`, { field: "decodedBytes", limit });
}

/** Bytes of a row in the row group with the widest ones, uncompressed. */
function widestRow(file: ParquetFile): number {
  const widths = file
    .metadata()
    .rowGroups()
    .map((group) => group.totalByteSize() / Math.max(group.numRows(), 1));
  return Math.max(1, ...widths);
}

function sourceBatch(batch: ArrowBatch, rowsBefore: number, rawBytes: number, cut: number): SourceBatch {
  const rowNumbers = Array.from({ length: batch.numRows }, (_, i) => rowsBefore + i + 1);
  return {
    rows: batch.numRows,
    columns: batch.data.children.map((data) => ({ data: columnDataOf(data) })),
    misfits: [],
    filled: 0,
    cut: cut + batch.data.children.reduce((sum, data) => sum + cutIn(data), 0),
    rowNumbers,
    place: (i) => ({ row: rowsBefore + i + 1, byteOffset: null, line: null, raw: null }),
    rawBytes,
  };
}
