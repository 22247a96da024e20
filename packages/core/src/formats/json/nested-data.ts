import { type Data, type DataType, Field, List, makeData, Struct, Utf8 } from "apache-arrow";
import type { Shape } from "../../domain/nested-shape.ts";
import type { ColumnType } from "../../domain/table-schema.ts";
import { toData } from "../../parquet/arrow-batch.ts";
import { arrowType } from "../../parquet/arrow-schema.ts";
import { type ColumnData, Validity } from "../../schema/column-data.ts";
import { signatureOf } from "../../schema/nested-type.ts";
import { leafData } from "./leaf-data.ts";
import type { NestedPlace } from "./nested-place.ts";
import { KIND } from "./scan-value.ts";

/** The type of a place that holds objects or lists. */
export function nestedType(place: NestedPlace): ColumnType {
  return { kind: "nested", signature: JSON.stringify(shapeOf(place)) };
}

/** A place's values, which it has loaded, as a column. */
export function nestedData(place: NestedPlace, bytes: Uint8Array): ColumnData {
  const data = dataOf(place, bytes);
  return { form: "nested", rows: place.count, nulls: data.nullCount, validity: data.nullCount === 0 ? null : data.nullBitmap, data };
}

function shapeOf({ shape }: NestedPlace): Shape {
  switch (shape.is) {
    case "leaf":
      return shape.type.kind === "unknown" ? "null" : (JSON.parse(signatureOf(arrowType(shape.type)) ?? '"null"') as Shape);
    case "struct":
      return { struct: shape.fields.map(([name, field]): [string, Shape] => [name, shapeOf(field)]) };
    case "list":
      return { list: ["item", shapeOf(shape.element)] };
  }
}

/** Where only nulls were seen a text stands in for the type that nobody knows: Parquet has none for it. */
function dataType(place: NestedPlace): DataType {
  const { shape } = place;
  switch (shape.is) {
    case "leaf":
      return shape.type.kind === "unknown" ? new Utf8() : arrowType(shape.type);
    case "struct":
      return new Struct(shape.fields.map(([name, field]) => new Field(name, dataType(field), true)));
    case "list":
      return new List(new Field("item", dataType(shape.element), true));
  }
}

function dataOf(place: NestedPlace, bytes: Uint8Array): Data {
  const { shape, count } = place;
  const type = dataType(place);
  const cells = place.cells(bytes);
  if (shape.is === "leaf") return toData(leafData(cells, shape.type), type);
  const validity = new Validity(count);
  const container = shape.is === "struct" ? KIND.object : KIND.array;
  for (let i = 0; i < count; i++) if (cells.kinds[i] !== container) validity.clear(i);
  const facts = { length: count, nullCount: validity.nulls, nullBitmap: validity.bits };
  if (shape.is === "struct")
    return makeData({ ...facts, type: type as Struct, children: shape.fields.map(([, field]) => dataOf(field, bytes)) });
  const valueOffsets = new Int32Array(count + 1);
  valueOffsets.set(place.lengths.subarray(0, count), 1);
  return makeData({ ...facts, type: type as List, valueOffsets, child: dataOf(shape.element, bytes) });
}
