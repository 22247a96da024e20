import { Fault, printable } from "../domain/fault.ts";
import type { FormatLimits } from "./format.ts";
import type { ChunkMeta, ParquetFooter, RowGroup, SchemaElement } from "./parquet-footer.ts";

type Limits = Pick<FormatLimits, "columns" | "decodedBytes" | "ratio" | "heldBytes">;

/** Nesting is followed recursively by every reader. */
const MAX_DEPTH = 48;
/** As in decompress.ts: below these a ratio says nothing. */
const RATIO_FROM_BYTES = 64 * 2 ** 20;
const RATIO_FROM_ROWS = 2 ** 20;
/** Physical types: BOOLEAN to FIXED_LEN_BYTE_ARRAY. */
const FIXED_LEN = 7;
/** Codecs: UNCOMPRESSED, SNAPPY, GZIP, LZO, BROTLI, LZ4, ZSTD, LZ4_RAW. */
const LAST_CODEC = 7;

export function refuse(why: string): never {
  throw new Fault("unreadable", `no readable Parquet: ${printable(why, 300)}`);
}

function beyond(limit: string, message: string, value: number, most: number): never {
  throw new Fault("limit_exceeded", `${message} (limit ${limit})`, { field: limit, value, limit: most });
}

/**
 * Compares a footer with itself, the file and the limits, before any page is read. `end` is where the footer begins.
 * Throws `unreadable`, `limit_exceeded`, or `unsupported_format` for encrypted columns.
 */
export function checkFooter(footer: ParquetFooter, { end, size }: { end: number; size: number }, limits: Limits): void {
  if (footer.encrypted) throw encrypted();
  const leaves = checkSchema(footer.schema, limits.columns);
  for (const group of footer.groups) checkGroup(group, leaves, end, limits.heldBytes);
  checkTotals(footer, size, limits);
}

export function encrypted(): Fault {
  return new Fault("unsupported_format", "the Parquet file is encrypted: send it decrypted", {
    field: "format",
    value: "encrypted Parquet",
  });
}

/** For each leaf, whether it stands once in every row. */
function checkSchema(schema: readonly SchemaElement[], columns: number): boolean[] {
  const leaves: boolean[] = [];
  let next = 0;
  const visit = (depth: number, repeated: boolean): void => {
    const element = schema[next++];
    if (!element) return refuse("its schema ends before its columns do");
    if (depth > MAX_DEPTH) beyond("depth", `columns are nested more than ${MAX_DEPTH} deep`, depth, MAX_DEPTH);
    if (element.repetition < 0 || element.repetition > 2) refuse(`a column that is repeated in the unknown way ${element.repetition}`);
    const within = repeated || (depth > 0 && element.repetition === 2);
    const { children, type } = element;
    if (children === null || (children === 0 && type !== null)) {
      if (type === null || type < 0 || type > FIXED_LEN) refuse(`a column of the unknown type ${type}`);
      if (type === FIXED_LEN && element.typeLength < 0) refuse(`values of ${element.typeLength} bytes`);
      leaves.push(!within);
      return;
    }
    if (children < 0 || children > schema.length - next) refuse(`a column of ${children} fields in a schema of ${schema.length}`);
    if (depth === 0 && children > columns) {
      beyond("columns", `the file has ${children} columns, at most ${columns} are allowed`, children, columns);
    }
    for (let i = 0; i < children; i++) visit(depth + 1, within);
  };
  visit(0, false);
  if (next !== schema.length) refuse(`a schema of ${schema.length} elements, of which its root holds ${next}`);
  if (leaves.length > columns * 2) {
    beyond(
      "columns",
      `the file has ${leaves.length} columns with all nested ones, at most ${columns * 2} are allowed`,
      leaves.length,
      columns * 2,
    );
  }
  return leaves;
}

function checkGroup(group: RowGroup, leaves: readonly boolean[], end: number, heldBytes: number): void {
  if (!Number.isSafeInteger(group.rows) || group.rows < 0) refuse(`a row group of ${group.rows} rows`);
  if (group.chunks.length !== leaves.length) refuse(`a row group of ${group.chunks.length} columns, its schema has ${leaves.length}`);
  let bytes = 0;
  group.chunks.forEach((chunk, i) => {
    checkChunk(chunk, end);
    if (leaves[i] === true && chunk.values !== group.rows) {
      refuse(`column ${i + 1} of a row group has ${chunk.values} values, the group ${group.rows} rows`);
    }
    bytes += chunk.compressed;
  });
  // A row group is read whole: one of 234 MB was converted within a sandbox's memory, one of 376 MB was not.
  if (bytes > heldBytes) {
    beyond(
      "heldBytes",
      `a row group takes ${bytes} bytes, at most ${heldBytes} are held in memory: write smaller row groups`,
      bytes,
      heldBytes,
    );
  }
}

function checkChunk(chunk: ChunkMeta, end: number): void {
  if (chunk.encrypted) throw encrypted();
  if (chunk.elsewhere) throw new Fault("unsupported_format", "a Parquet file whose columns lie in other files is not read");
  if (chunk.codec < 0 || chunk.codec > LAST_CODEC) refuse(`a column in the unknown compression ${chunk.codec}`);
  for (const [what, value] of [
    ["values", chunk.values],
    ["uncompressed bytes", chunk.uncompressed],
    ["compressed bytes", chunk.compressed],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 0) refuse(`a column of ${value} ${what}`);
  }
  const from = startOf(chunk);
  if (from < 4 || from + chunk.compressed > end) refuse(`a column of ${chunk.compressed} bytes at ${from}, its columns end at ${end}`);
}

/** Where a column chunk's first page lies. */
export function startOf(chunk: ChunkMeta): number {
  return chunk.dictionaryAt > 0 && chunk.dictionaryAt < chunk.dataAt ? chunk.dictionaryAt : chunk.dataAt;
}

/** What the footer says the file becomes. A footer may lie: the pages are compared with it as they are read. */
function checkTotals(footer: ParquetFooter, size: number, limits: Limits): void {
  const rows = footer.groups.reduce((sum, group) => sum + group.rows, 0);
  // Writers before parquet-rs 1 left the file's count at 0.
  if (footer.rows !== rows && footer.rows !== 0) refuse(`its footer says ${footer.rows} rows, its row groups say ${rows}`);
  const bytes = footer.groups.reduce((sum, group) => sum + group.chunks.reduce((within, chunk) => within + chunk.uncompressed, 0), 0);
  if (bytes > limits.decodedBytes) {
    beyond("decodedBytes", `${bytes} bytes after decoding, at most ${limits.decodedBytes} are allowed`, bytes, limits.decodedBytes);
  }
  checkRatio(bytes, rows, size, limits);
}

/** Throws where a file's bytes become too many more, or claim rows that they can hardly hold. */
export function checkRatio(bytes: number, rows: number, size: number, limits: Pick<FormatLimits, "ratio">): void {
  if (bytes >= RATIO_FROM_BYTES && bytes > size * limits.ratio) {
    beyond("ratio", `${size} bytes become ${bytes}, more than ${limits.ratio} times as many`, Math.round(bytes / size), limits.ratio);
  }
  if (rows > RATIO_FROM_ROWS && rows > size * limits.ratio) {
    beyond("ratio", `${size} bytes claim ${rows} rows, more than ${limits.ratio} a byte`, Math.round(rows / size), limits.ratio);
  }
}
