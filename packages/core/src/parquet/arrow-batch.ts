import {
  Data,
  DataType,
  makeData,
  Null,
  RecordBatch,
  RecordBatchStreamWriter,
  type Schema,
  Struct,
  Table,
  tableToIPC,
  vectorFromArray,
} from "apache-arrow";
import type { ColumnData } from "../schema/column-data.ts";

/** Rows of a table whose columns stand in the schema's order. */
export interface TypedBatch {
  readonly rows: number;
  readonly columns: readonly ColumnData[];
}

/** A batch as an Arrow IPC stream. Throws when a column's form is not its type's: a bug. */
export function toIpc(batch: TypedBatch, schema: Schema): Uint8Array {
  const children = schema.fields.map((field, i) => {
    const column = batch.columns[i];
    if (!column || column.rows !== batch.rows) throw new Error(`column ${field.name} has ${column?.rows} rows of ${batch.rows}`);
    return toData(column, field.type);
  });
  const data = makeData({ type: new Struct(schema.fields), length: batch.rows, nullCount: 0, children });
  const writer = new RecordBatchStreamWriter();
  writer.write(recordBatch(schema, data));
  return writer.finish().toUint8Array(true);
}

/**
 * RecordBatch's own constructor looks every field up by name in a list, to fill up columns that are too short: 4 s for 16,384
 * columns. Ours are all of one length, so the object is put together without it.
 */
function recordBatch(schema: Schema, data: Data<Struct>): RecordBatch {
  const batch = Object.create(RecordBatch.prototype) as RecordBatch;
  return Object.assign(batch, { schema, data, _metadata: new Map<string, string>() });
}

/** An IPC stream that holds a schema and no rows. */
export function emptyIpc(schema: Schema): Uint8Array {
  return tableToIPC(new Table(schema, []), "stream");
}

/** A column as Arrow has it; a nested one is handed on as it is. */
export function toData(column: ColumnData, type: DataType): Data {
  const { rows } = column;
  if (column.form === "nested") return column.data;
  if (column.form === "nulls") return nullData(type, rows);
  const validity = column.validity;
  const values = column.form === "pairs" ? new Uint32Array(column.values.buffer, column.values.byteOffset, rows * 4) : column.values;
  return dataOf(type, rows, column.nulls, [column.form === "bytes" ? column.offsets : undefined, values, validity ?? undefined]);
}

function nullData(type: DataType, rows: number): Data {
  if (type.children && type.children.length > 0)
    return vectorFromArray(Array<null>(rows).fill(null), type).data[0] ?? makeData({ type: new Null(), length: rows });
  const validity = new Uint8Array((rows + 7) >> 3);
  // Four array elements a row are enough for every fixed-width type (a decimal has four words); Arrow cuts the rest off.
  const values = DataType.isUtf8(type) || DataType.isBinary(type) ? new Uint8Array(0) : new type.ArrayType(rows * 4);
  return dataOf(type, rows, rows, [new Int32Array(rows + 1), values, validity]);
}

/** Data's own constructor takes the buffers (offsets, values, validity) as they are; no overload of makeData takes a union of types. */
function dataOf(type: DataType, rows: number, nulls: number, buffers: readonly unknown[]): Data {
  return new Data(type, 0, rows, nulls, buffers as unknown as Partial<Data["buffers"]>);
}
