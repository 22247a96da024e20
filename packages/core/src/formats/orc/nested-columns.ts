import { Data, DataType, type Int, Precision } from "apache-arrow";
import { Fault } from "../../domain/fault.ts";
import type { ColumnData } from "../../schema/column-data.ts";
import type { ByteStream } from "./byte-stream.ts";
import { type BatchTally, type ColumnReader, readOffsets } from "./column-reader.ts";
import { damaged } from "./damage.ts";
import { allPresent, type Presence, type PresentReader, validityOf } from "./presence.ts";
import { RleBytes } from "./rle-byte.ts";
import type { RleInts } from "./rle-int.ts";

interface Buffers {
  readonly offsets?: Int32Array;
  readonly values?: unknown;
  readonly children?: Data[];
}

type Facts = { readonly rows: number; readonly nulls: number; readonly validity: Uint8Array | null };

/** Data's own constructor takes its buffers (offsets, values, validity) as they are. */
function dataOf(type: DataType, { rows, nulls, validity }: Facts, { offsets, values, children = [] }: Buffers): Data {
  const buffers: unknown[] = [offsets, values, validity ?? undefined];
  return new Data(type, 0, rows, nulls, buffers as Partial<Data["buffers"]>, children);
}

/** A column as Arrow has it inside a nested one. */
function arrowData(column: ColumnData, type: DataType): Data {
  if (column.form === "nested") return column.data;
  if (column.form === "nulls") throw new Error("a column of an ORC file came without its values");
  if (column.form === "bytes") return dataOf(type, column, { offsets: column.offsets, values: column.values });
  const { rows } = column;
  if (column.form === "pairs")
    return dataOf(type, column, { values: new Uint32Array(column.values.buffer, column.values.byteOffset, rows * 4) });
  if (column.form === "doubles" && DataType.isFloat(type) && type.precision === Precision.SINGLE) {
    return dataOf(type, column, { values: Float32Array.from(column.values) });
  }
  if (column.form === "words" && DataType.isInt(type) && type.bitWidth < 64)
    return dataOf(type, column, { values: narrowed(column.values, type) });
  return dataOf(type, column, { values: column.values });
}

/** Whole numbers in the width of their type. Throws where one does not fit. */
function narrowed(words: BigInt64Array, type: Int): Int8Array | Int16Array | Int32Array {
  const halves = new Int32Array(words.buffer, words.byteOffset, words.length * 2);
  const values = new (type.ArrayType as Int32ArrayConstructor)(words.length);
  for (let i = 0; i < values.length; i++) {
    const low = (values[i] = halves[i * 2] ?? 0);
    if (values[i] !== low || halves[i * 2 + 1] !== low >> 31) throw damaged(`a whole number of ${type.bitWidth} bits is beyond them`);
  }
  return values;
}

function nested(facts: Facts, type: DataType, buffers: Buffers): ColumnData {
  return { ...facts, form: "nested", data: dataOf(type, facts, buffers) };
}

const childType = (type: DataType, i: number): DataType => {
  const child = (type.children as { type: DataType }[])[i];
  if (!child) throw new Error(`an Arrow type has no child ${i}`);
  return child.type;
};

export function structColumn(present: PresentReader, fields: readonly ColumnReader[], type: DataType): ColumnReader {
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      const children: Data[] = [];
      for (const [i, field] of fields.entries()) children.push(arrowData(await field.read(presence), childType(type, i)));
      return nested(validityOf(presence), type, { children });
    },
  };
}

export function listColumn(
  present: PresentReader,
  lengths: RleInts,
  element: ColumnReader,
  type: DataType,
  tally: BatchTally,
): ColumnReader {
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      tally.take(presence.rows * 4);
      const offsets = await readOffsets(lengths, presence, tally.tooLong);
      const values = await element.read(elements(offsets, tally));
      return nested(validityOf(presence), type, { offsets, children: [arrowData(values, childType(type, 0))] });
    },
  };
}

export interface MapParts {
  readonly present: PresentReader;
  readonly lengths: RleInts;
  readonly key: ColumnReader;
  readonly value: ColumnReader;
}

export function mapColumn({ present, lengths, key, value }: MapParts, type: DataType, tally: BatchTally): ColumnReader {
  const pair = childType(type, 0);
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      tally.take(presence.rows * 4);
      const offsets = await readOffsets(lengths, presence, tally.tooLong);
      const inside = elements(offsets, tally);
      const keys = await key.read(inside);
      if (keys.nulls > 0) throw new Fault("unsupported_format", "a map has a key that is null, which Parquet cannot hold");
      const values = await value.read(inside);
      const children = [arrowData(keys, childType(pair, 0)), arrowData(values, childType(pair, 1))];
      const pairs = dataOf(pair, validityOf(inside), { children });
      return nested(validityOf(presence), type, { offsets, children: [pairs] });
    },
  };
}

function elements(offsets: Int32Array, tally: BatchTally): Presence {
  const count = offsets.at(-1) ?? 0;
  // Before anything is made for them: a flag and a bit for each at least.
  tally.take(count);
  return allPresent(count);
}

/** A union as a struct of its tag and its variants, of which the others are null: as the Arrow reader lays it out. */
export function unionColumn(
  present: PresentReader,
  data: ByteStream,
  variants: readonly ColumnReader[],
  type: DataType,
  tally: BatchTally,
): ColumnReader {
  const reader = new RleBytes(data);
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      const { rows } = presence;
      tally.take(rows * (9 + variants.length));
      const dense = new Uint8Array(presence.count);
      await reader.read(dense, presence.count);
      const tags = new Int8Array(rows);
      const has = variants.map(() => new Uint8Array(rows));
      const counts = variants.map(() => 0);
      for (let row = 0, i = 0; row < rows; row++) {
        if (presence.bytes !== null && presence.bytes[row] !== 1) continue;
        const tag = dense[i++] ?? 0;
        const flags = has[tag];
        if (!flags) throw damaged(`a union has the tag ${tag}, but ${variants.length} variants`);
        flags[row] = 1;
        counts[tag] = (counts[tag] ?? 0) + 1;
        tags[row] = tag;
      }
      const children = [dataOf(childType(type, 0), validityOf(presence), { values: tags })];
      for (const [i, variant] of variants.entries()) {
        const values = await variant.read({ rows, count: counts[i] ?? 0, bytes: has[i] ?? null });
        children.push(arrowData(values, childType(type, i + 1)));
      }
      return nested(validityOf(presence), type, { children });
    },
  };
}
