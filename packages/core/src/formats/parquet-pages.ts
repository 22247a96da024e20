import { crc32, zstdDecompressSync } from "node:zlib";
import { Fault, isFault } from "../domain/fault.ts";
import type { FormatLimits } from "./format.ts";
import { checkRatio, refuse, startOf } from "./parquet-check.ts";
import type { ChunkMeta, ParquetFooter, SchemaElement } from "./parquet-footer.ts";
import { type PageHeader, readPageHeader } from "./parquet-page.ts";
import type { Source } from "./source.ts";

const DATA = 0;
const DICTIONARY = 2;
const DATA_V2 = 3;
/** Encodings by which values are indexes into a dictionary: PLAIN_DICTIONARY, RLE_DICTIONARY. */
const BY_DICTIONARY = new Set([2, 8]);
const UNCOMPRESSED = 0;
const ZSTD = 6;

/** A source that has looked at the pages it gave; `damage` is what it found. */
export type CheckedSource = Source & { readonly damage: Fault | null };

/**
 * Looks at the pages of each column chunk as they pass by, ahead of parquet-wasm: that their headers lie in their chunk, that
 * they hold as many values as their chunk should, that they become no bombs, and that they agree with their checksums, where
 * they have some. parquet-wasm reads whole column chunks, adjacent ones at once; chunks that a range holds only in part are
 * passed on as they are. What is wrong is latched as `damage` too: parquet-wasm wraps what a read throws.
 */
export function checkedPages(source: Source, footer: ParquetFooter, limits: Pick<FormatLimits, "ratio" | "heldBytes">): CheckedSource {
  let damage: Fault | null = null;
  const spans = spansOf(footer);
  return {
    size: source.size,
    get damage() {
      return damage;
    },
    read: async (from, to) => {
      const bytes = await source.read(from, to);
      try {
        for (const span of within(spans, from, to)) checkChunk(bytes.subarray(span.from - from, span.to - from), span, source.size, limits);
      } catch (error) {
        if (isFault(error)) damage ??= error;
        throw error;
      }
      return bytes;
    },
  };
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly chunk: ChunkMeta;
  readonly leaf: SchemaElement | undefined;
}

function spansOf(footer: ParquetFooter): Span[] {
  const leaves = footer.schema.filter(({ type }) => type !== null);
  return footer.groups
    .flatMap(({ chunks }) =>
      chunks.map((chunk, i) => ({ from: startOf(chunk), to: startOf(chunk) + chunk.compressed, chunk, leaf: leaves[i] })),
    )
    .sort((a, b) => a.from - b.from);
}

/** The spans that lie whole in [from, to); `spans` ascend. */
function* within(spans: readonly Span[], from: number, to: number): Generator<Span> {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.from ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < spans.length; i++) {
    const span = spans[i];
    if (!span || span.from >= to) return;
    if (span.to <= to) yield span;
  }
}

/** What was seen of a chunk's pages so far. */
interface Seen {
  values: number;
  bytes: number;
  dictionary: number | null;
}

function checkChunk(bytes: Uint8Array, span: Span, fileSize: number, limits: Pick<FormatLimits, "ratio" | "heldBytes">): void {
  const { chunk } = span;
  const seen: Seen = { values: 0, bytes: 0, dictionary: null };
  for (let at = 0; seen.values < chunk.values;) {
    const page = headerAt(bytes, at, span.from);
    const data = bytes.subarray(page.dataFrom, page.dataFrom + page.length);
    if (page.crc !== null && crc32(data) !== page.crc >>> 0) {
      throw new Fault("unreadable", `no readable Parquet: the page at byte ${span.from + at} does not agree with its checksum`, {
        field: "byte",
        value: span.from + at,
      });
    }
    checkPage(page, data, span, seen);
    checkSize(page, seen, chunk, fileSize, limits);
    at = page.dataFrom + page.length;
  }
}

function headerAt(bytes: Uint8Array, at: number, base: number): PageHeader {
  let page: PageHeader;
  try {
    page = readPageHeader(bytes, at);
  } catch {
    return refuse(`the page at byte ${base + at} has no readable header`);
  }
  if (page.length < 0 || page.uncompressed < 0 || page.length > bytes.length - page.dataFrom) {
    return refuse(`the page at byte ${base + at} has ${page.length} bytes, of its column ${bytes.length - at} are left`);
  }
  return page;
}

function checkPage(page: PageHeader, data: Uint8Array, { chunk, leaf, from }: Span, seen: Seen): void {
  if (page.type === DICTIONARY) {
    if (seen.dictionary !== null || seen.values > 0) refuse(`a dictionary amid the pages of the column at byte ${from}`);
    if (page.values < 0 || page.values * leastWidth(leaf) > page.uncompressed) {
      refuse(`a dictionary of ${page.values} values in ${page.uncompressed} bytes`);
    }
    seen.dictionary = page.values;
    return;
  }
  if (page.type !== DATA && page.type !== DATA_V2) return;
  if (page.values < 0 || page.values > chunk.values - seen.values) {
    refuse(`the column at byte ${from} has ${chunk.values} values, its pages have more`);
  }
  seen.values += page.values;
  if (page.type === DATA) return;
  if (page.levels < 0 || page.levels > page.length || page.levels > page.uncompressed)
    refuse(`levels of ${page.levels} bytes in a page of ${page.length}`);
  if (page.nulls < 0 || page.nulls > page.values) refuse(`a page of ${page.values} values with ${page.nulls} nulls`);
  checkIndexes(page, data.subarray(page.levels), chunk);
}

/** Bytes that a value takes at least. BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY. */
function leastWidth(leaf: SchemaElement | undefined): number {
  return leaf?.type === 7 ? leaf.typeLength : ([0, 4, 8, 12, 4, 8, 4][leaf?.type ?? 0] ?? 0);
}

/** A page that packs its indexes in 0 bits says nothing of how many there are: a run does. Only pages of a few bytes can be such. */
function checkIndexes(page: PageHeader, stored: Uint8Array, chunk: ChunkMeta): void {
  const length = page.uncompressed - page.levels;
  if (!BY_DICTIONARY.has(page.encoding) || length > 8 || stored.length > 64) return;
  const indexes = !page.compressed || chunk.codec === UNCOMPRESSED ? stored : chunk.codec === ZSTD ? unzstd(stored, length) : null;
  if (indexes !== null && indexes[0] === 0 && ((indexes[1] ?? 0) & 1) === 1 && page.values > page.nulls) {
    refuse("a page packs the indexes of its values in 0 bits");
  }
}

function unzstd(bytes: Uint8Array, length: number): Uint8Array | null {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: Math.max(length, 1) });
  } catch {
    return null; // parquet-wasm says what is wrong with it
  }
}

/** A page is held in memory whole; together they are what the footer says, or are no more than a file may become. */
function checkSize(
  page: PageHeader,
  seen: Seen,
  chunk: ChunkMeta,
  fileSize: number,
  limits: Pick<FormatLimits, "ratio" | "heldBytes">,
): void {
  seen.bytes += page.uncompressed;
  if (page.uncompressed > limits.heldBytes) {
    throw new Fault(
      "limit_exceeded",
      `a page of ${page.uncompressed} bytes, at most ${limits.heldBytes} are held in memory (limit heldBytes)`,
      {
        field: "heldBytes",
        value: page.uncompressed,
        limit: limits.heldBytes,
      },
    );
  }
  checkRatio(seen.bytes, 0, fileSize, limits);
  if (seen.bytes > 64 * 2 ** 20 && seen.bytes > chunk.uncompressed * 2) {
    refuse(`a column's pages become ${seen.bytes} bytes, its footer says ${chunk.uncompressed}`);
  }
}
