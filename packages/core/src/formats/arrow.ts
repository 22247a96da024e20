import { MAIN_TABLE } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import type { SourceColumn } from "../schema/enforce.ts";
import { looksLikeArrowStream } from "./arrow/looks-like.ts";
import { isArrowFile, type OpenArrow, openFile, openStream, type ReadBatch } from "./arrow/open-arrow.ts";
import { columnsOf, type Output, outputOf } from "./arrow/output.ts";
import { withTimesOfDay } from "./arrow/times-of-day.ts";
import { unreadable } from "./arrow/refuse.ts";
import { Windows } from "./arrow/windows.ts";
import type { Format, FormatInput, OpenedFile, SourceBatch } from "./format.ts";
import { firstRows } from "./max-rows.ts";

/**
 * Arrow IPC: the file format, which is Feather's version 2 too, and the stream format; bodies as they are or compressed.
 * Read by a decoder of our own, which believes no length, offset or index that it has not compared with the bytes there are.
 */
export const arrow: Format = {
  names: ["arrow", "feather"],

  async open(input: FormatInput): Promise<OpenedFile> {
    const opened = await openAny(input);
    const schema = await withTimesOfDay(opened);
    const outputs = schema.fields.map(outputOf);
    const columns = columnsOf(outputs);
    const most = input.options.max_rows;
    return {
      dialect: {},
      tables: [{ table: MAIN_TABLE, columns, batches: () => firstRows(batches(opened.batches(schema), outputs, columns, input), most) }],
    };
  },
};

async function openAny(input: FormatInput): Promise<OpenArrow> {
  let head: Uint8Array = new Uint8Array(0);
  for await (const { bytes } of input.decoded()) {
    head = bytes;
    break;
  }
  if (isArrowFile(head)) return openFile(await input.random(), input.rawSize, input.limits);
  if (Buffer.from(head).toString("latin1", 0, 4) === "FEA1") {
    throw new Fault("unsupported_format", "Feather of version 1, given up by its makers in 2020, is not read: write it as version 2", {
      field: "format",
      value: "feather v1",
    });
  }
  if (!looksLikeArrowStream(head)) unreadable("it begins neither as an Arrow file nor with the schema of a stream");
  return openStream(input);
}

async function* batches(
  read: AsyncGenerator<ReadBatch>,
  outputs: readonly Output[],
  columns: readonly SourceColumn[],
  input: FormatInput,
): AsyncGenerator<SourceBatch> {
  const windows = new Windows(outputs, columns, input.limits);
  for await (const batch of read) yield* windows.of(batch);
}
