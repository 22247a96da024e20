import type { ColumnChunk, DenseValues } from "../../packages/core/src/columns/column-chunk.ts";
import type { ColumnType, TableSchema } from "../../packages/core/src/domain/table-schema.ts";
import { type Codec } from "../../packages/core/src/parquet/compress.ts";
import { openFlatWriter } from "../../packages/core/src/parquet/flat-writer.ts";

/**
 * A value in the form that tests compare: int64, time and timestamp as their bigint, decimal as its unscaled bigint, date as its
 * days, text as a string, binary as hex.
 */
export type Value = null | boolean | number | bigint | string;

/** How a chunk's values are held: all as ids, none, or ids up to some value and the others as they are. */
export type Mode = "coded" | "plain" | "mixed";

export interface TestColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly mode: Mode;
  readonly values: readonly Value[];
}

export function schemaOf(columns: readonly Pick<TestColumn, "name" | "type">[]): TableSchema {
  return { columns: columns.map(({ name, type }, i) => ({ id: i + 1, name, type, declared: false })), lastId: columns.length };
}

/** Values [from, to) of a column as a chunk. */
export function chunkOf(column: TestColumn, from: number, to: number): ColumnChunk {
  const values = column.values.slice(from, to);
  const there = values.filter((value) => value !== null);
  const nulls = values.length - there.length;
  const coded = column.mode === "plain" ? 0 : column.mode === "coded" ? there.length : Math.ceil(there.length / 3);
  // One value that no id names: a dictionary may hold more than is used.
  const distinct = new Map([...there.slice(-1), ...there.slice(0, coded)].map((value) => [keyOf(value), value]));
  const places = new Map([...distinct.keys()].map((key, i) => [key, i]));
  const ids = Uint16Array.from(there.slice(0, coded), (value) => places.get(keyOf(value)) ?? 0);
  return {
    type: column.type,
    rows: values.length,
    nulls,
    present: nulls === 0 ? null : Uint8Array.from(values, (value) => (value === null ? 0 : 1)),
    coded,
    ids: coded === 0 ? null : ids,
    dictionary: coded === 0 ? null : dense(column.type, [...distinct.values()]),
    plain: dense(column.type, there.slice(coded)),
  };
}

/** The two zeros are two values. */
function keyOf(value: Value): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function dense(type: ColumnType, values: readonly Value[]): DenseValues {
  const count = values.length;
  switch (type.kind) {
    case "int64":
    case "time":
    case "timestamp":
      return { form: "words", count, halves: new Int32Array(BigInt64Array.from(values as bigint[]).buffer) };
    case "decimal": {
      const pairs = new BigInt64Array(count * 2);
      (values as bigint[]).forEach((value, i) => {
        pairs[i * 2] = BigInt.asIntN(64, value);
        pairs[i * 2 + 1] = value >> 64n;
      });
      return { form: "pairs", count, quarters: new Int32Array(pairs.buffer) };
    }
    case "double":
      return { form: "doubles", count, values: Float64Array.from(values as number[]) };
    case "date":
      return { form: "days", count, values: Int32Array.from(values as number[]) };
    case "bool":
      return { form: "bools", count, values: Uint8Array.from(values as boolean[], Number) };
    case "unknown":
    case "text":
    case "binary": {
      const parts = (values as string[]).flatMap((value) => {
        const bytes = Buffer.from(value, type.kind === "binary" ? "hex" : "utf8");
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return [length, bytes];
      });
      const data = new Uint8Array(Buffer.concat(parts));
      return { form: "bytes", count, length: data.length, data };
    }
    case "nested":
      throw new Error("a nested column has no chunk");
  }
}

export interface Layout {
  readonly rows: number;
  /** Rows a row group. */
  readonly groupRows: number;
  readonly pageBytes: number;
  readonly compression: Codec;
}

/** The columns as a Parquet file. The chunks are overwritten as soon as the writer has taken them. */
export async function fileOf(columns: readonly TestColumn[], layout: Layout): Promise<Buffer> {
  const out: Uint8Array[] = [];
  const { compression, pageBytes } = layout;
  const sink = async (bytes: Uint8Array) => void out.push(bytes);
  const writer = openFlatWriter({ schema: schemaOf(columns), metadata: new Map([["a", "b"]]), compression, pageBytes, sink });
  for (let from = 0; from < layout.rows; from += layout.groupRows) {
    const to = Math.min(from + layout.groupRows, layout.rows);
    const chunks = columns.map((column) => chunkOf(column, from, to));
    await writer.write(chunks, to - from);
    for (const chunk of chunks) spoil(chunk);
  }
  await writer.close(new Map([["late", "value"]]));
  const whole = Buffer.concat(out);
  if (writer.bytesOut !== whole.length) throw new Error(`${writer.bytesOut} bytes were told, ${whole.length} came`);
  return whole;
}

function spoil(chunk: ColumnChunk): void {
  chunk.ids?.fill(0xaaaa);
  chunk.present?.fill(7);
  for (const values of [chunk.dictionary, chunk.plain]) {
    if (values === null) continue;
    const array = values.form === "words" ? values.halves : values.form === "pairs" ? values.quarters : null;
    array?.fill(-1);
    if (values.form === "bytes") values.data.fill(255);
    else if (values.form === "doubles" || values.form === "days" || values.form === "bools") values.values.fill(99);
  }
}
