import { Fault } from "../../domain/fault.ts";
import type { FileOptions } from "../../domain/options.ts";
import type { ColumnType } from "../../domain/table-schema.ts";
import type { DecodedChunk } from "../decompress.ts";
import type { DirectTable } from "../direct.ts";
import type { FormatInput, Misfit, OpenedTable, SourceBatch } from "../format.ts";
import { headerNames } from "../header-names.ts";
import { JsonPass } from "./direct-pass.ts";
import { nestedDuplicates } from "./nested-place.ts";
import type { Cells, RowCells } from "./row-cells.ts";
import { RowLabels } from "./row-labels.ts";
import { type RecordBatch, type RecordOptions, RecordReader } from "./records.ts";
import { RowTable } from "./row-table.ts";

/** Where the rows of a table stand, and how they are written. */
export interface Records extends Omit<RecordOptions, "known" | "limits" | "ragged"> {
  readonly table: string;
  /** The rows' bytes from the start, as often as it is called. */
  chunks(): AsyncIterable<DecodedChunk>;
  /** Columns that are text whatever they look like. */
  readonly texts?: ReadonlySet<string>;
  /** An array of labels, one for each row, in the rows' order. */
  readonly labels?: () => AsyncIterable<DecodedChunk>;
  /** Members left out beside the rows: each is a counted warning. */
  readonly left?: number;
}

/** How much of a file is looked at before it is taken for flat rows with keys that come again, in what is read at a time. */
const HEAD_CHUNKS = 4;

/**
 * A table of rows, or null where there are none. Looks at all of them first, but where `fromHead` allows it only at those of the
 * head, when these are flat: what a later one has that they have not is found out on the way. Throws as `RecordReader` does.
 */
export async function recordTable(input: FormatInput, records: Records, fromHead = false): Promise<OpenedTable | null> {
  const options: RecordOptions = { ...records, limits: input.limits, ragged: input.ragged };
  const reader = new RecordReader(options);
  const { cells } = reader;
  const rows = new RowTable(input.options);
  if (records.names) cells.fix(records.names);
  const labels = records.labels ? new RowLabels(records.labels()) : null;
  const headBytes = HEAD_CHUNKS * input.limits.chunkBytes;
  let looked = 0;
  let misfit: Misfit | undefined;
  for await (const batch of reader.batches(records.chunks())) {
    looked += batch.cells.rows + batch.misfits.length;
    misfit ??= batch.misfits[0];
    if (labels) rows.look(0, await labels.of(batch));
    for (let i = 0; i < cells.names.length; i++) rows.look(labels ? i + 1 : i, cells.column(batch.bytes, i));
    cells.beneath = rows.depth;
    if (fromHead && batch.rawBytes >= headBytes && batch.rawBytes < input.rawSize && cells.names.length > 0 && rows.isFlat) {
      const columns = rows.columns(cells.names, askedType(input.options, records.texts));
      const sample = {
        table: records.table,
        columns,
        batches: () => head(batches({ ...options, known: cells }, records, rows, {}), headBytes),
      };
      return headTable(input, records, options, cells, sample);
    }
  }
  await labels?.close();
  const keys = labels ? ["index", ...cells.names] : cells.names;
  const without = labels?.arePositions ? 0 : cells.labelsArePositions ? cells.label : null;
  const columns = rows.columns(keys, askedType(input.options, records.texts), without);
  if (columns.length === 0) {
    const example = misfit ? `; the first that is none is row ${misfit.row}: ${misfit.reason}` : "";
    if (looked > 0) throw new Fault("unreadable", `no readable JSON: none of the rows holds a value${example}`);
    return null;
  }
  const known = { ...options, known: cells };
  const sources = labels ? null : rows.sources();
  return {
    table: records.table,
    columns,
    looked,
    batches: (feeds) => batches(known, records, rows, { feeds, most: input.options.max_rows }),
    ...(sources && input.options.max_rows === undefined ? { direct: directRows(known, records, sources) } : {}),
  };
}

/** A table of which the first rows were looked at. */
function headTable(input: FormatInput, records: Records, options: RecordOptions, cells: RowCells, sample: OpenedTable): OpenedTable {
  cells.seal();
  const names = headerNames(cells.names, input.options.generated_names);
  let whole: Promise<OpenedTable | null> | null = null;
  return {
    table: records.table,
    columns: names.map((name) => ({ name, type: null })),
    batches: () => {
      throw new Error("of this table only the head was looked at");
    },
    direct: directRows({ ...options, known: cells }, records, [...names.keys()]),
    sample,
    async whole() {
      whole ??= recordTable(input, records);
      const table = await whole;
      if (table === null) throw new Error("the rows are gone");
      return table;
    },
  };
}

/** The rows that were looked at, and not one more: a later one may have what no column was made for. */
async function* head(all: AsyncIterable<SourceBatch>, bytes: number): AsyncGenerator<SourceBatch> {
  for await (const batch of all) {
    yield batch;
    if (batch.rawBytes >= bytes) return;
  }
}

/** What `column_types` and `default_type` ask of a column, which may be renamed before. */
export function askedType(options: FileOptions, texts?: ReadonlySet<string>): (name: string) => ColumnType | undefined {
  const { column_types: types = {}, column_mapping: mapping = {}, default_type: other } = options;
  return (name) => {
    const renamed = Object.hasOwn(mapping, name) ? (mapping[name] ?? name) : name;
    if (Object.hasOwn(types, renamed)) return types[renamed];
    return other ?? (texts?.has(name) ? { kind: "text" } : undefined);
  };
}

/** The short way over rows: source column i is what stands under key `sources[i]`. */
function directRows(options: RecordOptions, records: Records, sources: readonly number[]): DirectTable {
  return { columns: sources.length, open: () => new JsonPass(blocksOf(options, records, sources)) };
}

async function* blocksOf(options: RecordOptions, records: Records, sources: readonly number[]) {
  const reader = new RecordReader(options);
  let left = records.left ?? 0;
  for await (const { cells, bytes, misfits, filled, rowNumbers, place, rawBytes } of reader.batches(records.chunks())) {
    const rows = {
      rows: cells.rows,
      misfits,
      warnings: filled + cells.duplicates + cells.replaced + left,
      rowNumbers,
      cells: (column: number) => (column < sources.length ? cells.column(bytes, sources[column] ?? 0) : null),
      place,
    };
    left = 0;
    yield { rows, rawBytes };
  }
}

interface Reading {
  readonly feeds?: readonly (ColumnType | null)[] | undefined;
  /** Most rows to give; the others are skipped. */
  readonly most?: number | undefined;
}

async function* batches(
  options: RecordOptions,
  records: Records,
  rows: RowTable,
  { feeds, most = Number.POSITIVE_INFINITY }: Reading,
): AsyncGenerator<SourceBatch> {
  const reader = new RecordReader(options);
  const labels = records.labels ? new RowLabels(records.labels()) : null;
  let { left = 0 } = records;
  let room = most;
  try {
    for await (const batch of reader.batches(records.chunks())) {
      const beside = labels && (await labels.of(batch));
      const skipped = Math.max(batch.cells.rows - room, 0);
      batch.cells.rows -= skipped;
      room -= batch.cells.rows;
      yield { ...typed(batch, rows, left, beside, feeds), skipped };
      batch.cells.rows += skipped;
      left = 0;
    }
  } finally {
    await labels?.close();
  }
}

function typed(batch: RecordBatch, rows: RowTable, left: number, labels: Cells | null, feeds: Reading["feeds"]): SourceBatch {
  const { cells, bytes, misfits, rowNumbers, filled, rawBytes, place } = batch;
  nestedDuplicates.count = 0;
  const beside = labels && { ...labels, count: cells.rows };
  const cellsOf = (i: number) => (beside === null ? cells.column(bytes, i) : i === 0 ? beside : cells.column(bytes, i - 1));
  const columns = rows.read(cellsOf, feeds);
  return {
    rows: cells.rows,
    columns,
    misfits,
    filled,
    cut: left + cells.duplicates + cells.replaced + nestedDuplicates.count,
    rowNumbers: rowNumbers.slice(0, cells.rows),
    place,
    rawBytes,
  };
}
