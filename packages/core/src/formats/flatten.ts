import { Data, DataType } from "apache-arrow";
import type { ColumnType } from "../domain/table-schema.ts";
import { allNull } from "../schema/column-data.ts";
import type { SourceColumn } from "../schema/enforce.ts";
import { typeOfSignature } from "../schema/nested-type.ts";
import { columnDataOf, columnTypeOf, cutIn } from "./arrow-columns.ts";
import type { OpenedTable, SourceBatch, SourceCells } from "./format.ts";
import { headerNames } from "./header-names.ts";
import { jsonColumn } from "./json-column.ts";

/** A column of a flattened table: column `from` of the other, and within it the fields of structs that lead to it. */
interface FlatColumn {
  readonly from: number;
  readonly path: readonly number[];
  readonly name: string;
  readonly type: ColumnType | null;
  /** Lists and maps, as JSON. */
  readonly json: boolean;
}

/**
 * A table whose structs are columns of their own, named `a.b`, and whose lists and maps are JSON text: arrays, and objects or
 * arrays of pairs by whether their keys are text. A struct that is null makes its fields null. Tables without nested columns
 * are given back as they are.
 */
export function flattenTable(table: OpenedTable): OpenedTable {
  if (!table.columns.some(({ type }) => type?.kind === "nested")) return table;
  const flat = table.columns.flatMap((column, from) => flatColumns(column, from));
  const names = headerNames(flat.map(({ name }) => name));
  return {
    ...table,
    columns: flat.map(({ type }, i) => ({ name: names[i] ?? "", type })),
    batches: async function* () {
      for await (const batch of table.batches()) yield flatBatch(batch, flat);
    },
  };
}

function flatColumns({ name, type }: SourceColumn, from: number): FlatColumn[] {
  if (type?.kind !== "nested") return [{ from, path: [], name, type, json: false }];
  const walk = (at: DataType, path: number[], called: string): FlatColumn[] => {
    if (DataType.isStruct(at)) {
      return at.children.flatMap((field, i) => walk(field.type as DataType, [...path, i], `${called}.${field.name}`));
    }
    const leaf = columnTypeOf(at);
    const json = leaf === null || leaf.kind === "nested";
    return [{ from, path, name: called, type: json ? { kind: "text" } : leaf, json }];
  };
  return walk(typeOfSignature(type.signature), [], name);
}

function flatBatch(batch: SourceBatch, flat: readonly FlatColumn[]): SourceBatch {
  let { cut } = batch;
  const columns = flat.map(({ from, path, json }): SourceCells => {
    const cells = batch.columns[from];
    if (!cells) throw new Error("a batch without one of its columns");
    if (!("data" in cells) || cells.data.form !== "nested") return cells;
    const data = path.reduce(childOf, cells.data.data);
    if (data.length > 0 && data.nullCount === data.length) return { data: allNull(data.length) };
    cut += cutWithin(data);
    if (json) return { data: jsonColumn(data) };
    return { data: columnDataOf(data) };
  });
  return { ...batch, columns, cut };
}

function cutWithin(data: Data): number {
  return data.children.reduce((sum, child) => sum + cutWithin(child), cutIn(data));
}

/** A field of a struct, null wherever the struct is. */
function childOf(struct: Data, index: number): Data {
  const child = struct.children[index];
  if (!child) throw new Error("a struct without one of its fields");
  if (struct.nullCount === 0) return child;
  const validity = new Uint8Array((struct.length + 7) >> 3);
  let nulls = 0;
  for (let row = 0; row < struct.length; row++) {
    if (struct.getValid(row) && child.getValid(row)) validity[row >> 3] = (validity[row >> 3] ?? 0) | (1 << (row & 7));
    else nulls++;
  }
  if (child.offset !== 0 || DataType.isNull(child.type)) return child;
  const buffers = [child.valueOffsets, child.values, validity, child.typeIds];
  return new Data(child.type, 0, struct.length, nulls, buffers as unknown as Partial<Data["buffers"]>, child.children);
}
