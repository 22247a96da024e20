import { type Data, DataType } from "apache-arrow";
import { type ColumnData, isValid, Validity } from "../schema/column-data.ts";
import { textAt } from "../schema/render.ts";
import { columnDataOf, columnTypeOf } from "./arrow-columns.ts";

/** Writes the value of a row as JSON. */
type Writer = (row: number) => string;

/**
 * A column of lists, maps or structs as JSON text, null where they are. Whole numbers and decimals keep all their digits;
 * dates and times are texts as ISO 8601 has them, binary is base64, floats beyond JSON are texts (`"NaN"`, `"Infinity"`).
 */
export function jsonColumn(data: Data): ColumnData {
  const write = writerOf(data);
  const validity = new Validity(data.length);
  const offsets = new Int32Array(data.length + 1);
  const cells: Buffer[] = [];
  let total = 0;
  for (let row = 0; row < data.length; row++) {
    if (data.getValid(row)) {
      const cell = Buffer.from(write(row));
      cells.push(cell);
      total += cell.length;
    } else validity.clear(row);
    offsets[row + 1] = total;
  }
  return { ...validity.facts(data.length), form: "bytes", offsets, values: new Uint8Array(Buffer.concat(cells, total)) };
}

function writerOf(data: Data): Writer {
  const write = valueWriter(data);
  return (row) => (data.getValid(row) ? write(row) : "null");
}

function valueWriter(data: Data): Writer {
  const { type } = data;
  if (DataType.isNull(type)) return () => "null";
  if (DataType.isStruct(type)) {
    const fields = data.children.map((child, i) => ({ key: JSON.stringify(type.children[i]?.name ?? ""), write: writerOf(child) }));
    return (row) => `{${fields.map(({ key, write }) => `${key}:${write(row)}`).join(",")}}`;
  }
  if (DataType.isFixedSizeList(type)) return listWriter(data, (row) => row * type.listSize);
  if (DataType.isMap(type)) return mapWriter(data);
  if (DataType.isList(type)) return listWriter(data, (row) => data.valueOffsets[row] ?? 0);
  return leafWriter(data);
}

function listWriter(data: Data, offset: (row: number) => number): Writer {
  const child = data.children[0];
  if (!child) throw new Error("a list without its values");
  const write = writerOf(child);
  return (row) => `[${range(offset(row), offset(row + 1), write).join(",")}]`;
}

function mapWriter(data: Data): Writer {
  const [keys, values] = data.children[0]?.children ?? [];
  if (!keys || !values) throw new Error("a map without its entries");
  const [key, value] = [writerOf(keys), writerOf(values)];
  const named = DataType.isUtf8(keys.type) || DataType.isLargeUtf8(keys.type);
  const entry = (row: number) => (named ? `${key(row)}:${value(row)}` : `[${key(row)},${value(row)}]`);
  return (row) => {
    const entries = range(data.valueOffsets[row] ?? 0, data.valueOffsets[row + 1] ?? 0, entry).join(",");
    return named ? `{${entries}}` : `[${entries}]`;
  };
}

function range(from: number, to: number, write: Writer): string[] {
  return Array.from({ length: to - from }, (_, i) => write(from + i));
}

function leafWriter(data: Data): Writer {
  const column = columnDataOf(data);
  const type = columnTypeOf(data.type);
  if (type === null) throw new Error("a value of no type of ours within a nested one");
  const text = (row: number) => textAt(column, type, row) ?? "";
  const value: Writer = (row) => {
    switch (type.kind) {
      case "bool":
      case "int64":
      case "decimal":
        return text(row);
      case "double":
        return Number.isFinite(Number(text(row))) ? text(row) : JSON.stringify(text(row));
      case "binary":
        return column.form === "bytes" ? `"${base64(column.values.subarray(column.offsets[row], column.offsets[row + 1]))}"` : "null";
      case "date":
      case "time":
      case "timestamp":
      case "text":
      case "unknown":
      case "nested":
        return JSON.stringify(text(row));
    }
  };
  return (row) => (isValid(column, row) ? value(row) : "null");
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
