/**
 * The JSON of Arrow's integration tests as plain values, column by column: what a file beside it must hold.
 * Written after the format's own description, apart from the reader under test. Values are:
 * whole numbers, days, durations, months: bigint; floats: number; times, and dates in milliseconds: nanoseconds as bigint; decimals: their digits; text; binary: "0x..";
 * lists and structs: arrays; maps: arrays of pairs; unions: [type id, one value a type]; no value: null.
 */
export type Value = null | boolean | number | bigint | string | readonly Value[];

export interface JsonType {
  readonly name: string;
  readonly [fact: string]: unknown;
}

export interface JsonField {
  readonly name: string;
  readonly type: JsonType;
  readonly children: readonly JsonField[];
  readonly dictionary?: { readonly id: number };
}

interface JsonColumn {
  readonly count: number;
  readonly VALIDITY?: readonly number[];
  readonly DATA?: readonly unknown[];
  readonly OFFSET?: readonly (number | string)[];
  readonly SIZE?: readonly (number | string)[];
  readonly TYPE_ID?: readonly number[];
  readonly VIEWS?: readonly { SIZE: number; INLINED?: string; BUFFER_INDEX: number; OFFSET: number }[];
  readonly VARIADIC_DATA_BUFFERS?: readonly string[];
  readonly children?: readonly JsonColumn[];
}

export interface Golden {
  readonly schema: { readonly fields: readonly JsonField[] };
  readonly dictionaries?: readonly { id: number; data: { columns: readonly JsonColumn[] } }[];
  readonly batches: readonly { count: number; columns: readonly JsonColumn[] }[];
}

/** Each column's values over all batches. */
export function goldenColumns(golden: Golden): Value[][] {
  const dictionaries = new Map(golden.dictionaries?.map(({ id, data }) => [id, data.columns[0]]) ?? []);
  const read = reader(dictionaries);
  return golden.schema.fields.map((field, i) =>
    golden.batches.flatMap(({ columns, count }) => {
      const column = columns[i];
      if (!column) throw new Error("a batch without a column");
      return Array.from({ length: count }, (_, row) => read(field, column, row));
    }),
  );
}

export function goldenRows(golden: Golden): number {
  return golden.batches.reduce((sum, { count }) => sum + count, 0);
}

function reader(dictionaries: ReadonlyMap<number, JsonColumn | undefined>) {
  return function read(field: JsonField, column: JsonColumn, row: number): Value {
    if (column.VALIDITY && column.VALIDITY[row] === 0) return null;
    const { type } = field;
    if (field.dictionary) {
      const values = dictionaries.get(field.dictionary.id);
      if (!values) throw new Error(`no dictionary ${field.dictionary.id}`);
      const { dictionary: _, ...plain } = field;
      return read(plain, values, Number(column.DATA?.[row]));
    }
    const child = (i: number, at: number): Value => {
      const [f, c] = [field.children[i], column.children?.[i]];
      if (!f || !c) throw new Error(`a ${type.name} without a child`);
      return read(f, c, at);
    };
    const range = (from: number, to: number) => Array.from({ length: to - from }, (_, k) => child(0, from + k));
    const offset = (at: number) => Number(column.OFFSET?.[at] ?? 0);
    switch (type.name) {
      case "null":
        return null;
      case "list":
      case "largelist":
      case "map":
        return range(offset(row), offset(row + 1));
      case "listview":
      case "largelistview":
        return range(offset(row), offset(row) + Number(column.SIZE?.[row]));
      case "fixedsizelist":
        return range(row * Number(type["listSize"]), (row + 1) * Number(type["listSize"]));
      case "struct":
        return field.children.map((_, i) => child(i, row));
      case "union":
        return unionValue(type, column, row, child, field.children.length);
      case "runendencoded": {
        const ends = column.children?.[0]?.DATA ?? [];
        return child(
          1,
          ends.findIndex((end) => Number(end) > row),
        );
      }
      case "utf8view":
      case "binaryview":
        return viewValue(type, column, row);
      default:
        return leaf(type, column.DATA?.[row]);
    }
  };
}

function unionValue(type: JsonType, column: JsonColumn, row: number, child: (i: number, at: number) => Value, count: number): Value {
  const id = column.TYPE_ID?.[row] ?? 0;
  const picked = (type["typeIds"] as number[]).indexOf(id);
  const at = type["mode"] === "DENSE" ? Number(column.OFFSET?.[row]) : row;
  return [BigInt(id), ...Array.from({ length: count }, (_, i) => (i === picked ? child(i, at) : null))];
}

function viewValue(type: JsonType, column: JsonColumn, row: number): Value {
  const view = column.VIEWS?.[row];
  if (!view) throw new Error("no view");
  const text = type.name === "utf8view";
  if (view.INLINED !== undefined) return text ? view.INLINED : `0x${view.INLINED.toLowerCase()}`;
  const bytes = Buffer.from(column.VARIADIC_DATA_BUFFERS?.[view.BUFFER_INDEX] ?? "", "hex").subarray(view.OFFSET, view.OFFSET + view.SIZE);
  return text ? bytes.toString("utf8") : `0x${bytes.toString("hex")}`;
}

export const NANOS_IN: Readonly<Record<string, bigint>> = {
  SECOND: 1_000_000_000n,
  MILLISECOND: 1_000_000n,
  MICROSECOND: 1_000n,
  NANOSECOND: 1n,
};

function leaf(type: JsonType, value: unknown): Value {
  switch (type.name) {
    case "bool":
      return Boolean(value);
    case "int":
    case "duration":
      return BigInt(value as string | number);
    case "floatingpoint":
      return type["precision"] === "SINGLE" ? Math.fround(value as number) : (value as number);
    case "decimal":
      return decimal(String(value), Number(type["scale"]));
    case "date":
      return type["unit"] === "DAY" ? BigInt(value as number) : BigInt(value as number | string) * 1_000_000n;
    case "time":
    case "timestamp":
      return BigInt(value as number | string) * (NANOS_IN[String(type["unit"])] ?? 0n);
    case "interval":
      return type["unit"] === "YEAR_MONTH" ? BigInt(value as number) : Object.values(value as object).map((part) => BigInt(part as number));
    case "utf8":
    case "largeutf8":
      return value as string;
    case "binary":
    case "largebinary":
    case "fixedsizebinary":
      return `0x${(value as string).toLowerCase()}`;
    default:
      throw new Error(`a type ${type.name}`);
  }
}

export function decimal(unscaled: string, scale: number): string {
  const negative = unscaled.startsWith("-");
  const digits = unscaled.replace("-", "").padStart(scale + 1, "0");
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return negative ? `-${text}` : text;
}
