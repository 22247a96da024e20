import { type Data, DataType, Field, type RecordBatch, Schema, TimeUnit, Timestamp } from "apache-arrow";
import { Fault } from "../domain/fault.ts";
import { emptyIpc } from "../parquet/arrow-batch.ts";
import { int96Leaves, withKeyValue } from "../parquet/file-metadata.ts";
import { footerLength } from "../parquet/footer.ts";
import { openParquet, type OpenParquet, orUnreadable, recordBatches } from "./parquet-stream.ts";
import type { Source } from "./source.ts";

/**
 * INT96 is a Julian day and the nanoseconds within it: Spark's and Impala's timestamp. parquet-wasm makes 64 bits of
 * nanoseconds of it and lets them wrap without a word beyond 1677 to 2262, unless the Arrow schema in the footer's key
 * `ARROW:schema` names another unit. So the footer is replaced, in memory, by one that names the unit we want.
 *
 * Which one that is, the values say: read once in seconds, which hold every day, and once in nanoseconds, whose
 * difference is exact even where they have wrapped.
 */
export interface Int96File extends OpenParquet {
  /** Times that lost their nanoseconds, because others of their column lie beyond the years that those can reach. */
  readonly cut: number;
}

const SECONDS_IN_NANOS = 9_223_372_036n;
const BATCH_ROWS = 8_192;

type Unit = Timestamp["unit"];

/** The file with its INT96 columns read in a unit that holds all their values. */
export async function readInt96(opened: OpenParquet): Promise<Int96File> {
  const flat = leavesOf(opened.schema.fields);
  // Reading the footer again is for files that have times at all.
  if (!flat.some((type) => DataType.isTimestamp(type))) return { ...opened, cut: 0 };
  const tail = await tailOf(opened.source);
  const flags = await orUnreadable("its schema", async () => int96Leaves(tail.subarray(0, -8)));
  if (!flags.includes(true)) return { ...opened, cut: 0 };
  if (flags.length !== flat.length) {
    throw new Fault("unsupported_format", `its ${flags.length} Parquet columns became ${flat.length} Arrow columns, INT96 among them`);
  }
  const as = async (unitOf: (leaf: number) => Unit) => {
    const schema = withUnits(opened.schema, (leaf) => (flags[leaf] ? unitOf(leaf) : null));
    const reopened = await openParquet(withArrowSchema(opened.source, tail, schema));
    checkUnits(reopened.schema, flags, unitOf);
    return reopened;
  };
  const [seconds, nanos] = [await as(() => TimeUnit.SECOND), await as(() => TimeUnit.NANOSECOND)];
  const seen = await observe(seconds, nanos, flags);
  const chosen = await as((leaf) => unitFor(seen.get(leaf)));
  const cut = [...seen.values()].reduce((sum, leaf) => sum + (leaf.far ? leaf.nanos : 0), 0);
  return { ...chosen, source: opened.source, cut };
}

interface Seen {
  /** Values with digits beyond microseconds. */
  nanos: number;
  /** Whether a value lies beyond what 64 bits of nanoseconds reach. */
  far: boolean;
}

/** Microseconds, Spark's own unit, unless nanoseconds are there and all values allow them. */
function unitFor(seen: Seen | undefined): Unit {
  return seen && seen.nanos > 0 && !seen.far ? TimeUnit.NANOSECOND : TimeUnit.MICROSECOND;
}

async function observe(seconds: OpenParquet, nanos: OpenParquet, flags: readonly boolean[]): Promise<Map<number, Seen>> {
  const seen = new Map(flags.flatMap((is, leaf) => (is ? [[leaf, { nanos: 0, far: false }] as const] : [])));
  const wanted = fieldsWith(seconds.schema, flags);
  const options = { batchSize: BATCH_ROWS, columns: [...new Set(wanted.names)] };
  const others = recordBatches(nanos, options);
  try {
    for await (const batch of recordBatches(seconds, options)) {
      const other = await others.next();
      if (other.done === true || other.value.numRows !== batch.numRows) throw new Error("two readers of one file disagree on its rows");
      const [a, b] = [leafData(batch), leafData(other.value)];
      if (a.length !== wanted.leaves.length || b.length !== a.length) {
        throw new Fault("unsupported_format", "columns with INT96 times and columns of like names cannot be told apart");
      }
      wanted.leaves.forEach((leaf, i) => {
        const facts = seen.get(leaf);
        if (facts && a[i] && b[i]) observeLeaf(facts, a[i], b[i]);
      });
    }
  } finally {
    await others.return(undefined);
  }
  return seen;
}

function observeLeaf(seen: Seen, seconds: Data, nanos: Data): void {
  const [whole, parts] = [seconds.values as BigInt64Array, nanos.values as BigInt64Array];
  for (let i = 0; i < seconds.length; i++) {
    if (!seconds.getValid(i)) continue;
    const second = whole[i] ?? 0n;
    // Beyond 64 bits of microseconds too: Spark's own sum of day and epoch overflows so (it writes the year 290000 as a negative
    // day), and reading its microseconds, which wrap the other way, undoes that.
    if (second >= SECONDS_IN_NANOS || second < -SECONDS_IN_NANOS) seen.far = true;
    if (BigInt.asUintN(64, (parts[i] ?? 0n) - second * 1_000_000_000n) % 1_000n !== 0n) seen.nanos++;
  }
}

/** Names of the fields that have INT96 leaves, and the leaves that all fields of such names have. */
function fieldsWith(schema: Schema, flags: readonly boolean[]): { names: string[]; leaves: number[] } {
  let at = 0;
  const spans = schema.fields.map((field) => {
    const from = at;
    at += leavesOf([field]).length;
    return { name: field.name, from, to: at };
  });
  const names = spans.filter(({ from, to }) => flags.slice(from, to).includes(true)).map(({ name }) => name);
  const wanted = spans.filter(({ name }) => names.includes(name));
  return { names, leaves: wanted.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)) };
}

function leavesOf(fields: readonly Field[]): DataType[] {
  return fields.flatMap(({ type }) => (hasChildren(type) ? leavesOf(type.children) : [type]));
}

function leafData(batch: RecordBatch): Data[] {
  const walk = (data: Data): Data[] => (hasChildren(data.type) ? data.children.flatMap(walk) : [data]);
  return batch.data.children.flatMap(walk);
}

function hasChildren(type: DataType): boolean {
  return !DataType.isDictionary(type) && (type.children?.length ?? 0) > 0;
}

/** The schema with another unit for each time leaf that is given one. */
function withUnits(schema: Schema, unitOf: (leaf: number) => Unit | null): Schema {
  let leaf = 0;
  const change = (field: Field): Field => {
    const { type } = field;
    if (hasChildren(type)) {
      const same = Object.assign(Object.create(Object.getPrototypeOf(type) as object) as DataType, type);
      return field.clone({ type: Object.assign(same, { children: (type.children as Field[]).map(change) }) });
    }
    const unit = unitOf(leaf++);
    return unit === null || !DataType.isTimestamp(type) ? field : field.clone({ type: new Timestamp(unit, type.timezone) });
  };
  return new Schema(schema.fields.map(change));
}

/** Should parquet-wasm not heed the schema, its values must not be believed. */
function checkUnits(schema: Schema, flags: readonly boolean[], unitOf: (leaf: number) => Unit): void {
  const wrong = leavesOf(schema.fields).some((type, leaf) => flags[leaf] && !(DataType.isTimestamp(type) && type.unit === unitOf(leaf)));
  if (wrong) throw new Fault("unsupported_format", "INT96 times in a place where their unit cannot be chosen");
}

async function tailOf(source: Source): Promise<Uint8Array> {
  const length = footerLength(await source.read(source.size - 8, source.size));
  return source.read(source.size - length, source.size);
}

/** The same file with another Arrow schema in its footer. */
function withArrowSchema(source: Source, tail: Uint8Array, schema: Schema): Source {
  const value = Buffer.from(emptyIpc(schema)).toString("base64");
  const metadata = withKeyValue(tail.subarray(0, -8), "ARROW:schema", value);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(metadata.length);
  const footer = Buffer.concat([metadata, size, Buffer.from("PAR1")]);
  const from = source.size - tail.length;
  return {
    size: from + footer.length,
    read: async (a, b) => {
      if (b <= from) return source.read(a, b);
      const end = footer.subarray(Math.max(a - from, 0), b - from);
      return a >= from ? end : Buffer.concat([await source.read(a, from), end]);
    },
  };
}
