import { Fault } from "../../domain/fault.ts";
import type { FileOptions } from "../../domain/options.ts";
import type { ColumnType } from "../../domain/table-schema.ts";
import type { DecodedChunk } from "../decompress.ts";
import type { FormatInput, OpenedTable, SourceBatch } from "../format.ts";
import { nestedDuplicates } from "./nested-place.ts";
import type { Cells } from "./row-cells.ts";
import { RowLabels } from "./row-labels.ts";
import { type RecordBatch, type RecordOptions, RecordReader } from "./records.ts";
import { RowTable } from "./row-table.ts";
import { surrogates } from "./text.ts";

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

/** A table of rows. Looks at all of them first; null where there are none. Throws as `RecordReader` does. */
export async function recordTable(input: FormatInput, records: Records): Promise<OpenedTable | null> {
  const options = { ...records, limits: input.limits, ragged: input.ragged };
  const reader = new RecordReader(options);
  const { cells } = reader;
  const rows = new RowTable(input.options.nested === "flatten");
  if (records.names) cells.fix(records.names);
  const labels = records.labels ? new RowLabels(records.labels()) : null;
  let any = false;
  for await (const batch of reader.batches(records.chunks())) {
    any = true;
    if (labels) rows.look(0, await labels.of(batch));
    for (let i = 0; i < cells.names.length; i++) rows.look(labels ? i + 1 : i, cells.column(batch.bytes, i));
    cells.beneath = rows.depth;
  }
  await labels?.close();
  const keys = labels ? ["index", ...cells.names] : cells.names;
  const without = labels?.arePositions ? 0 : cells.labelsArePositions ? cells.label : null;
  const columns = rows.columns(keys, askedType(input.options, records.texts), without);
  if (columns.length === 0) {
    if (any) throw new Fault("unreadable", "no readable JSON: none of the rows holds a value");
    return null;
  }
  return { table: records.table, columns, batches: () => batches({ ...options, known: cells }, records, rows) };
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

async function* batches(options: RecordOptions, records: Records, rows: RowTable): AsyncGenerator<SourceBatch> {
  const reader = new RecordReader(options);
  const labels = records.labels ? new RowLabels(records.labels()) : null;
  let left = records.left ?? 0;
  try {
    for await (const batch of reader.batches(records.chunks())) {
      yield typed(batch, rows, left, labels && (await labels.of(batch)));
      left = 0;
    }
  } finally {
    await labels?.close();
  }
}

function typed(batch: RecordBatch, rows: RowTable, left: number, labels: Cells | null): SourceBatch {
  const { cells, bytes, misfits, rowNumbers, filled, rawBytes } = batch;
  surrogates.replaced = 0;
  nestedDuplicates.count = 0;
  const columns = rows
    .read((i) => (labels === null ? cells.column(bytes, i) : i === 0 ? labels : cells.column(bytes, i - 1)))
    .map((data) => ({ data }));
  return {
    rows: cells.rows,
    columns,
    misfits,
    filled,
    cut: left + cells.duplicates + nestedDuplicates.count + surrogates.replaced,
    rowNumbers,
    place: (i) => batch.place(i),
    rawBytes,
  };
}
