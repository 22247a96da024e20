import { Fault, isFault } from "../../domain/fault.ts";
import type { FormatLimits } from "../format.ts";
import type { Source } from "../source.ts";
import { Compression, readFooter } from "./chunks.ts";
import { damaged } from "./damage.ts";
import { type Footer, parseFooter, parsePostscript, type Postscript } from "./footer.ts";

const TAIL_BYTES = 16 * 1024;
/** Types of a file for each column it may have at the top: nested ones have several. */
const TYPES_A_COLUMN = 4;

export interface Tail {
  readonly postscript: Postscript;
  readonly footer: Footer;
  readonly compression: Compression;
}

/**
 * The end of an ORC file: [stripes][metadata][footer][postscript][its length, one byte] (ORC specification, "File Tail").
 * Throws where its parts do not fit in the file or disagree on its rows.
 */
export async function readTail(source: Source, limits: FormatLimits): Promise<Tail> {
  if (source.size < 4) throw damaged(`it has ${source.size} bytes, too few for a postscript`);
  const end = await source.read(Math.max(0, source.size - TAIL_BYTES), source.size);
  const length = end.at(-1) ?? 0;
  if (length === 0 || length > end.length - 1) throw damaged(`its postscript should have ${length} bytes, the file has ${source.size}`);
  const last = end.subarray(end.length - 1 - length, -1);
  try {
    return await tailBefore(last, source, limits);
  } catch (error) {
    if (!isFault(error) || error.code !== "unreadable" || hasMagic(last)) throw error;
    // Of a file that is cut off, any byte may pass for a postscript's length: what is then read of it says nothing to anybody.
    throw new Fault("unreadable", `${error.message}; its end lacks the magic ORC, so it may be cut off or still being written`, {
      cause: error,
    });
  }
}

async function tailBefore(last: Uint8Array, source: Source, limits: FormatLimits): Promise<Tail> {
  const { length } = last;
  const postscript = parsePostscript(last);
  await checkMagic(source, last);
  const behind = source.size - 1 - length;
  const { footerLength, metadataLength } = postscript;
  if (footerLength + metadataLength > behind) {
    throw damaged(`its footer and metadata claim ${footerLength + metadataLength} bytes, the file has ${source.size}`);
  }
  const compression = new Compression(postscript, limits);
  const bytes = await readFooter(source, compression, behind - footerLength, footerLength);
  const footer = parseFooter(bytes, limits.columns * TYPES_A_COLUMN);
  checkStripes(footer, behind - footerLength - metadataLength);
  return { postscript, footer, compression };
}

/** Files up to Hive 0.11 have the magic at the start only, later ones in the postscript too. */
async function checkMagic(source: Source, postscript: Uint8Array): Promise<void> {
  if (hasMagic(postscript)) return;
  const start = await source.read(0, 3);
  if (Buffer.from(start).toString("latin1") !== "ORC") throw damaged("neither its start nor its postscript has the magic ORC");
}

function hasMagic(postscript: Uint8Array): boolean {
  return Buffer.from(postscript).includes("ORC");
}

function checkStripes({ stripes, rows }: Footer, end: number): void {
  let total = 0;
  let bytes = 0;
  for (const [i, { offset, indexLength, dataLength, footerLength, rows: here }] of stripes.entries()) {
    const to = offset + indexLength + dataLength + footerLength;
    if (!(to <= end)) throw damaged(`stripe ${i + 1} ends at byte ${to}, beyond the stripes' end at ${end}`);
    total += here;
    bytes += indexLength + dataLength + footerLength;
  }
  // Stripes that share their bytes would multiply them: a million of them take 30 KB of a footer.
  if (bytes > end) throw damaged(`its stripes take ${bytes} bytes together, there are ${end}`);
  if (rows !== null && total !== rows) throw damaged(`its footer says ${rows} rows, its stripes say ${total}`);
  if (!Number.isSafeInteger(total)) throw damaged(`its stripes say ${total} rows`);
}
