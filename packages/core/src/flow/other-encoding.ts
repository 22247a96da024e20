import type { FormatName } from "../domain/options.ts";
import type { Source } from "../formats/source.ts";
import { tallyUtf8 } from "../formats/text-encoding.ts";
import { NotUtf8 } from "../formats/utf8-text.ts";
import type { ConvertIo, ConvertRequest, PartSink } from "../ports/converter.ts";
import { decodedBytes, recognize } from "./parse.ts";

const TEXT_TABLES: ReadonlySet<FormatName> = new Set<FormatName>(["csv", "tsv", "psv"]);

/** What is left of a file that nobody said an encoding of, after a byte of it was found to be no UTF-8. */
const OTHER = "windows-1252";

/**
 * The encoding to read a file by from its start again, or null where it is to fail as it is. All bytes are looked at: a
 * text in which most characters beyond ASCII are UTF-8 has broken bytes, and read otherwise all of them would be garbled.
 */
export async function otherEncoding(error: unknown, request: ConvertRequest, source: Source): Promise<string | null> {
  if (!(error instanceof NotUtf8) || request.options.encoding !== undefined) return null;
  // A dry run tells the fault among what it finds, once the encoding counts as said.
  const asItIs = request.mode === "inspect" ? "utf-8" : null;
  const found = await recognize(request, source);
  if (!TEXT_TABLES.has(found.format)) return asItIs;
  const { valid, invalid } = await tallyUtf8(decodedBytes(found, request, source));
  return valid >= invalid ? asItIs : OTHER;
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
