import type { FormatName } from "../domain/options.ts";
import type { Source } from "../formats/source.ts";
import { BROKEN_UTF8, tallyUtf8 } from "../formats/text-encoding.ts";
import { NotUtf8 } from "../formats/utf8-text.ts";
import type { ConvertIo, ConvertRequest, PartSink } from "../ports/converter.ts";
import { decodedBytes, recognize } from "./parse.ts";

const TEXT_TABLES: ReadonlySet<FormatName> = new Set<FormatName>(["csv", "tsv", "psv"]);

/** What is left of a file that nobody said an encoding of, after a byte of it was found to be no UTF-8. */
const OTHER = "windows-1252";

/** True when a file is to be read again from its start: nobody said an encoding that its bytes contradict in another way. */
export function startsOver(error: unknown, request: ConvertRequest, format: FormatName | undefined): boolean {
  const { encoding } = request.options;
  return error instanceof NotUtf8 && format !== undefined && TEXT_TABLES.has(format) && (encoding === undefined || encoding === "utf-8");
}

/**
 * The encoding to read a file by from its start again, after a byte of it was found to be no UTF-8; null where it is to fail
 * as it is. All bytes are looked at: a text in which most characters beyond ASCII are UTF-8 has broken bytes, and read in
 * another encoding all of them would be garbled: the rows with such bytes are rejected.
 */
export async function otherEncoding(error: unknown, request: ConvertRequest, source: Source): Promise<string | null> {
  if (!(error instanceof NotUtf8)) return null;
  const found = await recognize(request, source);
  if (!startsOver(error, request, found.format)) return null;
  if (request.options.encoding === "utf-8") return BROKEN_UTF8;
  const { valid, invalid } = await tallyUtf8(decodedBytes(found, request, source));
  return valid >= invalid ? BROKEN_UTF8 : OTHER;
}

export function inEncoding(request: ConvertRequest, encoding: string): ConvertRequest {
  return { ...request, options: { ...request.options, encoding } };
}

/** An io that can drop all that was written to it, for a reading that starts over. */
export class DroppableIo implements ConvertIo {
  readonly #io: ConvertIo;
  #sinks: PartSink[] = [];

  constructor(io: ConvertIo) {
    this.#io = io;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#io.read(offset, length);
  }

  recycle(bytes: Uint8Array): void {
    this.#io.recycle?.(bytes);
  }

  progress(rows: number, bytes: number): void {
    this.#io.progress(rows, bytes);
  }

  async openPart(table: string): Promise<PartSink> {
    return this.#kept(await this.#io.openPart(table));
  }

  async openRejects(): Promise<PartSink> {
    return this.#kept(await this.#io.openRejects());
  }

  async drop(): Promise<void> {
    const sinks = this.#sinks;
    this.#sinks = [];
    for (const sink of sinks) await sink.abort();
  }

  #kept(sink: PartSink): PartSink {
    this.#sinks.push(sink);
    return sink;
  }
}
