import { createHash, type Hash } from "node:crypto";
import { type Data, DataType, TimeUnit } from "apache-arrow";
import type { ColumnType } from "../../packages/core/src/domain/table-schema.ts";
import type { Format, FormatLimits, OpenedTable } from "../../packages/core/src/formats/format.ts";
import { orc } from "../../packages/core/src/formats/orc.ts";
import { type ColumnData, isValid } from "../../packages/core/src/schema/column-data.ts";
import { DEFAULT_LIMITS } from "../../packages/core/src/ports/converter.ts";

/** The only table of an ORC file, as our reader opens it. Throws its faults. */
export function openOrc(bytes: Uint8Array, limits: Partial<FormatLimits> = {}): Promise<OpenedTable> {
  return openWith(orc, bytes, limits);
}

/** The same for any format that is read by ranges. */
export async function openWith(format: Format, bytes: Uint8Array, limits: Partial<FormatLimits> = {}): Promise<OpenedTable> {
  const source = { size: bytes.length, read: async (from: number, to: number) => bytes.slice(from, Math.min(to, bytes.length)) };
  const opened = await format.open({
    name: format.names[0] ?? "opaque",
    decoded: () => {
      throw new Error("these formats are not read from front to back");
    },
    random: async () => source,
    rawSize: bytes.length,
    options: {},
    limits: { ...DEFAULT_LIMITS, chunkBytes: 512 * 1024, ...limits },
    ragged: "misfit",
  });
  const table = opened.tables[0];
  if (!table) throw new Error("there is no table");
  return table;
}

/** All rows of a table. */
export async function readCells(table: OpenedTable): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  for await (const batch of table.batches()) {
    for (let row = 0; row < batch.rows; row++) {
      rows.push(
        batch.columns.map((cells, i) => ("data" in cells ? cellAt(cells.data, table.columns[i]?.type ?? { kind: "unknown" }, row) : null)),
      );
    }
  }
  return rows;
}

/** A value as JavaScript has it: exact numbers as bigint, decimals as their digits, times as numbers since 1970. */
export type Cell = null | boolean | bigint | number | string | Uint8Array | Digits | Moment | readonly Cell[] | Fields | Entries;
/** An unscaled decimal. */
export class Digits {
  readonly unscaled: bigint;
  readonly scale: number;
  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
  }
}
/** Days, or nanoseconds, since 1970. */
export class Moment {
  readonly since: bigint;
  readonly days: boolean;
  constructor(since: bigint, days: boolean) {
    this.since = since;
    this.days = days;
  }
}
export class Fields {
  readonly cells: readonly (readonly [string, Cell])[];
  constructor(cells: readonly (readonly [string, Cell])[]) {
    this.cells = cells;
  }
}
export class Entries {
  readonly pairs: readonly (readonly [Cell, Cell])[];
  constructor(pairs: readonly (readonly [Cell, Cell])[]) {
    this.pairs = pairs;
  }
}

/** One value of a column of a batch. */
export function cellAt(column: ColumnData, type: ColumnType, row: number): Cell {
  if (!isValid(column, row)) return null;
  switch (column.form) {
    case "nulls":
      return null;
    case "nested":
      return dataAt(column.data, row);
    case "bits":
      return ((column.values[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
    case "doubles":
      return column.values[row] ?? 0;
    case "days":
      return new Moment(BigInt(column.values[row] ?? 0), true);
    case "pairs":
      return digits(column.values[row * 2] ?? 0n, column.values[row * 2 + 1] ?? 0n, type.kind === "decimal" ? type.scale : 0);
    case "bytes": {
      const bytes = column.values.subarray(column.offsets[row], column.offsets[row + 1]);
      return type.kind === "text" ? Buffer.from(bytes).toString("utf8") : bytes;
    }
    case "words": {
      const word = column.values[row] ?? 0n;
      return type.kind === "timestamp" ? new Moment(type.unit === "ns" ? word : word * 1000n, false) : word;
    }
  }
}

function digits(low: bigint, high: bigint, scale: number): Digits {
  return new Digits((high << 64n) | BigInt.asUintN(64, low), scale);
}

function dataAt(data: Data, row: number): Cell {
  if (!data.getValid(row)) return null;
  const { type } = data;
  const offsets = data.valueOffsets as Int32Array;
  if (DataType.isBool(type)) return ((data.values as Uint8Array)[row >> 3]! & (1 << (row & 7))) !== 0;
  if (DataType.isInt(type)) return BigInt((data.values as BigInt64Array | Int32Array)[row]!);
  if (DataType.isFloat(type)) return (data.values as Float64Array | Float32Array)[row]!;
  if (DataType.isDate(type)) return new Moment(BigInt((data.values as Int32Array)[row]!), true);
  if (DataType.isTimestamp(type))
    return new Moment((data.values as BigInt64Array)[row]! * (type.unit === TimeUnit.NANOSECOND ? 1n : 1000n), false);
  if (DataType.isDecimal(type)) {
    const words = new BigInt64Array((data.values as Uint32Array).slice(row * 4, row * 4 + 4).buffer);
    return digits(words[0]!, words[1]!, type.scale);
  }
  if (DataType.isUtf8(type)) return Buffer.from((data.values as Uint8Array).subarray(offsets[row], offsets[row + 1])).toString("utf8");
  if (DataType.isBinary(type)) return (data.values as Uint8Array).subarray(offsets[row], offsets[row + 1]);
  const rows = Array.from({ length: (offsets?.[row + 1] ?? 0) - (offsets?.[row] ?? 0) }, (_, i) => offsets[row]! + i);
  const [child] = data.children;
  if (DataType.isList(type) && child) return rows.map((at) => dataAt(child, at));
  if (DataType.isMap(type) && child) return new Entries(rows.map((at) => [dataAt(child.children[0]!, at), dataAt(child.children[1]!, at)]));
  if (DataType.isStruct(type)) return new Fields(type.children.map(({ name }, i) => [name, dataAt(data.children[i]!, row)]));
  throw new Error(`no test reads type ${type.typeId}`);
}

/** A value as test/fixtures/orc/facts.py writes it. */
function lineOf(cell: Cell): string {
  if (cell === null || typeof cell === "boolean" || typeof cell === "bigint") return String(cell);
  if (typeof cell === "number") {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(cell);
    return `f${bytes.toString("hex")}`;
  }
  if (typeof cell === "string") return `x${Buffer.from(cell).toString("hex")}`;
  if (cell instanceof Uint8Array) return `x${Buffer.from(cell).toString("hex")}`;
  if (cell instanceof Digits) return `n${cell.unscaled}/${cell.scale}`;
  if (cell instanceof Moment) return `${cell.days ? "d" : "t"}${cell.since}`;
  if (cell instanceof Entries) return `{${cell.pairs.map(([key, value]) => `${lineOf(key)}:${lineOf(value)}`).join(",")}}`;
  if (cell instanceof Fields) return `(${cell.cells.map(([, value]) => lineOf(value)).join(",")})`;
  return `[${(cell as readonly Cell[]).map(lineOf).join(",")}]`;
}

export interface ColumnFacts {
  readonly nulls: number;
  readonly sha: string;
  readonly bytes?: string;
}

export interface FileFacts {
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnFacts>>;
}

/** What facts.py says of a file, from our reader's columns. */
export async function factsOf(table: OpenedTable): Promise<FileFacts> {
  const columns = table.columns.map(({ type }) => new Digest(type ?? { kind: "unknown" }));
  let rows = 0;
  for await (const batch of table.batches()) {
    rows += batch.rows;
    for (const [i, cells] of batch.columns.entries()) if ("data" in cells) columns[i]?.add(cells.data);
  }
  return { rows, columns: Object.fromEntries(table.columns.map(({ name }, i) => [name, columns[i]!.facts()])) };
}

function clear(values: Float64Array | BigInt64Array, row: number): void {
  if (values instanceof Float64Array) values[row] = 0;
  else values[row] = 0n;
}

function wordOf(cell: Cell): bigint {
  if (cell === null || typeof cell === "boolean") return cell ? 1n : 0n;
  return cell instanceof Moment ? cell.since : (cell as bigint);
}

class Digest {
  readonly #type: ColumnType;
  readonly #sha: Hash = createHash("sha256");
  readonly #bytes: Hash = createHash("sha256");
  #first = true;
  #nulls = 0;

  constructor(type: ColumnType) {
    this.#type = type;
  }

  add(column: ColumnData): void {
    this.#nulls += column.nulls;
    const { rows } = column;
    const { kind } = this.#type;
    if (kind === "text" || kind === "binary") this.#texts(column, rows);
    else if (column.form === "doubles" || (column.form === "words" && !this.#isMicros)) {
      const values = column.values.slice(0, rows);
      if (column.validity !== null) for (let row = 0; row < rows; row++) if (!isValid(column, row)) clear(values, row);
      this.#raw(values);
    } else if (["int64", "double", "bool", "date", "timestamp"].includes(kind)) {
      this.#raw(BigInt64Array.from({ length: rows }, (_, row) => wordOf(cellAt(column, this.#type, row))));
    } else
      for (let row = 0; row < rows; row++) {
        this.#sha.update((this.#first ? "" : "\n") + lineOf(cellAt(column, this.#type, row)));
        this.#first = false;
      }
  }

  get #isMicros(): boolean {
    return this.#type.kind === "timestamp" && this.#type.unit === "us";
  }

  #texts(column: ColumnData, rows: number): void {
    const lengths = new Int32Array(rows).fill(-1);
    if (column.form === "bytes") {
      const { offsets, validity } = column;
      for (let row = 0; row < rows; row++) if (validity === null || isValid(column, row)) lengths[row] = offsets[row + 1]! - offsets[row]!;
      this.#bytes.update(column.values.subarray(offsets[0], offsets[rows]));
    }
    this.#raw(lengths);
  }

  #raw(values: BigInt64Array | Float64Array | Int32Array): void {
    this.#sha.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  facts(): ColumnFacts {
    const sha = this.#sha.digest("hex").slice(0, 16);
    const texts = this.#type.kind === "text" || this.#type.kind === "binary";
    return { nulls: this.#nulls, sha, ...(texts ? { bytes: this.#bytes.digest("hex").slice(0, 16) } : {}) };
  }
}
