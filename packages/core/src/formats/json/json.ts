import { MAIN_TABLE } from "../../domain/dataset.ts";
import { Fault } from "../../domain/fault.ts";
import type { SourceColumn } from "../../schema/enforce.ts";
import type { Format, FormatInput, OpenedFile, OpenedTable, SourceBatch } from "../format.ts";
import { headerNames } from "../header-names.ts";
import { leafData } from "./leaf-data.ts";
import { ValuePlace } from "./place.ts";
import { type Layout, type RecordBatch, RecordReader } from "./records.ts";
import type { RowCells } from "./row-cells.ts";
import { surrogates } from "./text.ts";

/** JSON as it is found: an array of rows, or one row behind the other. */
export const json: Format = {
  names: ["json", "ndjson"],

  async open(input: FormatInput): Promise<OpenedFile> {
    const layout = await findLayout(input);
    return { dialect: { encoding: "utf-8" }, tables: [await recordTable(input, layout)] };
  },
};

/** By the first byte that is no white space, and whether the first value ends on its line. */
async function findLayout(input: FormatInput): Promise<Layout> {
  if (input.name === "ndjson" || input.options.lines === true) return "lines";
  for await (const { bytes } of input.decoded()) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      .toString("latin1", 0, 4096)
      .replace(/^\u00ef\u00bb\u00bf/, "")
      .trimStart();
    if (text.startsWith("[")) return "array";
    if (text.startsWith("{")) return "sequence";
    break;
  }
  throw new Fault("unreadable", "no readable JSON: the file holds no rows");
}

async function recordTable(input: FormatInput, layout: Layout): Promise<OpenedTable> {
  const reader = new RecordReader(layout, input.limits);
  const places: ValuePlace[] = [];
  for await (const { bytes, cells } of reader.batches(input.decoded())) {
    for (let i = 0; i < cells.names.length; i++) (places[i] ??= new ValuePlace()).add(cells.column(bytes, i));
  }
  const names = headerNames(reader.cells.names);
  if (names.length === 0) throw new Fault("unreadable", "no readable JSON: none of the rows holds a value");
  const columns = places.map((place, i): SourceColumn => ({ name: names[i] ?? "", type: place.type, facts: place.facts }));
  return { table: MAIN_TABLE, columns, batches: () => batches(input, layout, reader.cells, columns) };
}

async function* batches(
  input: FormatInput,
  layout: Layout,
  known: RowCells,
  columns: readonly SourceColumn[],
): AsyncGenerator<SourceBatch> {
  const reader = new RecordReader(layout, input.limits, known);
  for await (const batch of reader.batches(input.decoded())) yield typed(batch, columns);
}

function typed(batch: RecordBatch, columns: readonly SourceColumn[]): SourceBatch {
  const { cells, bytes, misfits, rowNumbers, rawBytes } = batch;
  const before = surrogates.replaced;
  const data = columns.map(({ type }, i) => ({ data: leafData(cells.column(bytes, i), type ?? { kind: "text" }) }));
  return {
    rows: cells.rows,
    columns: data,
    misfits,
    filled: 0,
    cut: cells.duplicates + surrogates.replaced - before,
    rowNumbers,
    place: (i) => batch.place(i),
    rawBytes,
  };
}
