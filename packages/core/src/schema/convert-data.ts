import { isUtf8 } from "node:buffer";
import { type Column, type ColumnType, sameType, typeName } from "../domain/table-schema.ts";
import { coerce, type OnBadCell } from "./coerce.ts";
import { allNull, type ColumnData, isValid } from "./column-data.ts";
import { typeOfSignature } from "./nested-type.ts";
import { projectNested } from "./project-nested.ts";
import { textAt } from "./render.ts";

/**
 * Values that came with a type, under a column's type. Where the types differ they go by way of their text, which is
 * exact for every type, so that the same rules hold for them as for a csv's cells.
 */
export function convertData(data: ColumnData, type: ColumnType, column: Column, onBad: OnBadCell): ColumnData {
  if (data.form === "nulls" || data.nulls === data.rows) return allNull(data.rows);
  if (sameType(type, column.type)) return data;
  if (type.kind === "binary" && column.type.kind === "text" && data.form === "bytes" && isUtf8(data.values)) return data;
  if (type.kind === "text" && column.type.kind === "binary") return data;
  if (data.form === "nested" && column.type.kind === "nested") return nested(data, type, column.type.signature, onBad);
  const rows = Array.from({ length: data.rows }, (_, row) => row);
  if (type.kind === "nested" || column.type.kind === "nested" || type.kind === "binary") {
    for (const row of rows) if (isValid(data, row)) onBad(row, `<${typeName(type)}>`);
    return allNull(data.rows);
  }
  return coerce(
    rows.map((row) => textAt(data, type, row)),
    column.type,
    { declared: column.declared },
    onBad,
  );
}

function nested(data: ColumnData & { form: "nested" }, type: ColumnType, signature: string, onBad: OnBadCell): ColumnData {
  const projected = projectNested(data.data, typeOfSignature(signature), (row) => onBad(row, `<${typeName(type)}>`));
  return { form: "nested", rows: data.rows, nulls: projected.nullCount, validity: null, data: projected };
}
