import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int64,
  RecordBatchStreamWriter,
  Schema,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampNanosecond,
  Utf8,
} from "apache-arrow";
import { typeOfSignature } from "../schema/nested-type.ts";
import type { ColumnType, TableSchema } from "../domain/table-schema.ts";

/** The Arrow type that parquet-wasm turns into a column's one physical type. */
export function arrowType(type: ColumnType): DataType {
  switch (type.kind) {
    case "unknown":
    case "text":
      return new Utf8();
    case "bool":
      return new Bool();
    case "int64":
      return new Int64();
    case "decimal":
      return new Decimal(type.scale, type.precision, 128);
    case "double":
      return new Float64();
    case "date":
      return new DateDay();
    case "time":
      return new TimeMicrosecond();
    case "timestamp":
      return type.unit === "ns" ? new TimestampNanosecond(type.zone ? "UTC" : null) : new TimestampMicrosecond(type.zone ? "UTC" : null);
    case "binary":
      return new Binary();
    case "nested":
      return typeOfSignature(type.signature);
  }
}

/** A table's schema as Arrow, every column nullable, its id as the Parquet field_id. */
export function arrowSchema(schema: TableSchema): Schema {
  return new Schema(
    schema.columns.map(({ id, name, type }) => new Field(name, arrowType(type), true, new Map([["PARQUET:field_id", String(id)]]))),
  );
}

/** The schema for the key-value metadata `ARROW:schema`: base64 of an encapsulated IPC message. */
export function schemaMessage(schema: TableSchema): string {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, arrowSchema(schema));
  const stream = writer.finish().toUint8Array(true);
  // The end-of-stream mark is no part of the message.
  return Buffer.from(stream.buffer, stream.byteOffset, stream.length - 8).toString("base64");
}
