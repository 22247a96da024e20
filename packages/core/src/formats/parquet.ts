import { MAIN_TABLE } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import type { SourceColumn } from "../schema/enforce.ts";
import { batchesOfIpc, schemaOfIpc } from "./arrow/from-ipc.ts";
import { columnsOf, type Output, outputOf } from "./arrow/output.ts";
import type { ArrowSchema } from "./arrow/schema.ts";
import { Windows } from "./arrow/windows.ts";
import type { Format, FormatInput, OpenedFile, SourceBatch } from "./format.ts";
import { firstRows } from "./max-rows.ts";
import { checkFooter, encrypted, refuse } from "./parquet-check.ts";
import { type ParquetFooter, readFooter } from "./parquet-footer.ts";
import { type Int96File, readInt96 } from "./parquet-int96.ts";
import { mendedFooter, withNormalFooter } from "./parquet-normal.ts";
import { type CheckedSource, checkedPages } from "./parquet-pages.ts";
import { ipcBatches, openParquet } from "./parquet-stream.ts";
import type { Source } from "./source.ts";

const BATCH_ROWS = 8_192;
/** Rows of a batch are chosen so that it takes about this much memory. */
const BATCH_BYTES = 8 * 2 ** 20;

/**
 * Parquet, flat or nested, read a batch at a time by ranges of the raw bytes. Footer and pages are compared with themselves, the
 * file and the limits before parquet-wasm decodes them; what it gives goes the way of every Arrow batch.
 */
export const parquet: Format = {
  names: ["parquet"],

  async open(input: FormatInput): Promise<OpenedFile> {
    const bytes = await input.random();
    const { footer, end } = await footerOf(bytes, input);
    const source = checkedPages(withNormalFooter(bytes, footer, end), footer, input.limits);
    const file = await openParquet(source);
    const exact = await orDamage(source, () => readInt96(file));
    const schema = schemaOfIpc(exact.schemaIpc, input.limits.columns);
    const outputs = schema.fields.map(outputOf);
    const columns = columnsOf(outputs);
    const table = { exact, footer, schema, outputs, columns };
    const rows = () => firstRows(batches(table, source, input), input.options.max_rows);
    return { dialect: {}, tables: [{ table: MAIN_TABLE, columns, batches: rows }] };
  },
};

/** The footer, compared with itself and the file. The magic bytes at both ends come first: an encrypted file ends in PARE. */
async function footerOf(source: Source, input: FormatInput): Promise<{ footer: ParquetFooter; end: number }> {
  if (source.size < 12) refuse(`it has ${source.size} bytes, the shortest has 12`);
  const tail = Buffer.from(await source.read(source.size - 8, source.size));
  const magic = tail.toString("latin1", 4);
  if (magic === "PARE") throw encrypted();
  if (magic !== "PAR1") refuse("the last four bytes are not PAR1, so it is cut off or still being written");
  const length = tail.readUInt32LE(0);
  if (length > source.size - 12) refuse(`its footer claims ${length} bytes, the file has ${source.size}`);
  const { footerBytes } = input.limits;
  if (length > footerBytes) {
    throw new Fault("limit_exceeded", `the Parquet footer takes ${length} bytes, at most ${footerBytes} are allowed (limit footerBytes)`, {
      field: "footerBytes",
      value: length,
      limit: footerBytes,
    });
  }
  const end = source.size - 8 - length;
  const footer = mendedFooter(parsed(await source.read(end, source.size - 8)), end);
  checkFooter(footer, { end, size: source.size }, input.limits);
  return { footer, end };
}

function parsed(bytes: Uint8Array): ParquetFooter {
  try {
    return readFooter(bytes);
  } catch (error) {
    return refuse(`its footer cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

interface Table {
  readonly exact: Int96File;
  readonly footer: ParquetFooter;
  readonly schema: ArrowSchema;
  readonly outputs: readonly Output[];
  readonly columns: readonly SourceColumn[];
}

async function* batches(
  { exact, footer, schema, outputs, columns }: Table,
  source: CheckedSource,
  input: FormatInput,
): AsyncGenerator<SourceBatch> {
  const batchSize = Math.max(1, Math.min(BATCH_ROWS, Math.floor(BATCH_BYTES / widestRow(footer))));
  const stream = ipcBatches(exact, { batchSize });
  const windows = new Windows(outputs, columns, input.limits, exact.cut);
  let rows = 0;
  try {
    for (;;) {
      const { done, value } = await orDamage(source, () => stream.next());
      if (done) break;
      rows += value.rows;
      const rawBytes = Math.floor(input.rawSize * (footer.rows === 0 ? 1 : Math.min(rows / footer.rows, 1)));
      for (const batch of batchesOfIpc(value.ipc, schema, input.limits)) yield* windows.of({ ...batch, bytes: value.ipc.length, rawBytes });
    }
  } finally {
    await stream.return(undefined);
  }
  if (rows !== footer.rows) refuse(`its footer says ${footer.rows} rows, its pages hold ${rows}`);
}

/** A page that does not agree with its checksum is what went wrong, whatever parquet-wasm made of it. */
async function orDamage<T>(source: CheckedSource, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw source.damage ?? error;
  }
}

/** Bytes of a row in the row group with the widest ones, uncompressed. */
function widestRow({ groups }: ParquetFooter): number {
  return groups.reduce((widest, { rows, chunks }) => {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.uncompressed, 0);
    return Math.max(widest, bytes / Math.max(rows, 1));
  }, 1);
}
