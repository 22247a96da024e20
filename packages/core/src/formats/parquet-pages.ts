import { crc32 } from "node:zlib";
import { Fault } from "../domain/fault.ts";
import { chunkLengths } from "../parquet/file-metadata.ts";
import { footerLength } from "../parquet/footer.ts";
import { CompactReader } from "../parquet/thrift.ts";
import type { Source } from "./source.ts";

/** Where the first page begins, behind the magic bytes, and the most that its header may take. */
const FIRST_PAGE = 4;
const HEADER_BYTES = 64 * 1024;

/**
 * A source that compares pages with the checksums in their headers as they pass by, which parquet-wasm does not.
 * parquet-wasm reads whole column chunks, adjacent ones at once; chunks that a range holds only in part are passed on
 * as they are. Files whose first page has no checksum have none at all, and are not looked at any further. A mismatch is latched as `damage` too: parquet-wasm
 * wraps what a read throws.
 */
export async function checkedPages(source: Source): Promise<Source & { readonly damage: Fault | null }> {
  let damage: Fault | null = null;
  const chunks = (await hasChecksums(source)) ? await chunksOf(source) : [];
  return {
    size: source.size,
    get damage() {
      return damage;
    },
    read: async (from, to) => {
      const bytes = await source.read(from, to);
      for (const chunk of within(chunks, from, to)) {
        const wrong = wrongPage(bytes.subarray(chunk.from - from, chunk.to - from));
        if (wrong === null) continue;
        const at = chunk.from + wrong;
        damage = new Fault("unreadable", `no readable Parquet: the page at byte ${at} does not agree with its checksum`, {
          field: "byte",
          value: at,
        });
        throw damage;
      }
      return bytes;
    },
  };
}

async function hasChecksums(source: Source): Promise<boolean> {
  try {
    const head = await source.read(FIRST_PAGE, FIRST_PAGE + HEADER_BYTES);
    return pageHeader(head, 0).crc !== null;
  } catch (error) {
    if (error instanceof Fault) throw error;
    return false;
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
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

/** Where the column chunks lie. An unreadable footer is told of by whoever reads it for good. */
async function chunksOf(source: Source): Promise<Span[]> {
  const length = footerLength(await source.read(source.size - 8, source.size));
  const tail = await source.read(source.size - length, source.size);
  try {
    const chunks = [...chunkLengths(tail.subarray(0, -8))].map(([from, length]) => ({ from, to: from + length }));
    return chunks.sort((a, b) => a.from - b.from);
  } catch {
    return [];
  }
}

/** Where in a column chunk the first page lies that does not agree with its checksum; null when all do. */
function wrongPage(chunk: Uint8Array): number | null {
  for (let at = 0; at < chunk.length;) {
    let page: PageHeader;
    try {
      page = pageHeader(chunk, at);
    } catch {
      return null; // parquet-wasm says what is wrong with it
    }
    const end = page.dataFrom + page.length;
    if (page.length < 0 || end > chunk.length) return null;
    if (page.crc !== null && crc32(chunk.subarray(page.dataFrom, end)) !== page.crc >>> 0) return at;
    at = end;
  }
  return null;
}

interface PageHeader {
  /** Bytes of the page as they are stored, levels included. */
  readonly length: number;
  readonly dataFrom: number;
  readonly crc: number | null;
}

/** PageHeader: 3 compressed_page_size, 4 crc. */
function pageHeader(bytes: Uint8Array, at: number): PageHeader {
  const reader = new CompactReader(bytes, at);
  let length = -1;
  let crc: number | null = null;
  reader.struct((id) => {
    if (id === 3) length = reader.zigzag();
    else if (id === 4) crc = reader.zigzag();
    else return false;
    return true;
  });
  return { length, crc, dataFrom: reader.at };
}
