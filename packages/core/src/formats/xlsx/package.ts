import type { Entry } from "yauzl";
import { Fault } from "../../domain/fault.ts";
import type { FormatLimits } from "../format.ts";
import type { Source } from "../source.ts";
import { inflateEntry } from "./inflate.ts";
import { utf8Xml } from "./xml-encoding.ts";
import { readZipDirectory, type ZipDirectory } from "../zip-directory.ts";

const MAX_ENTRIES = 20_000;
/** XML compresses 5 to 50 times; what goes far beyond that was made to. Asked of large parts only. */
const MAX_RATIO = 250;
const RATIO_FROM_BYTES = 64 * 2 ** 20;
/** Parts that are held as a whole, such as the list of sheets or the styles. */
const MAX_SMALL_PART = 64 * 2 ** 20;

type PackageLimits = Pick<FormatLimits, "decodedBytes" | "ratio">;

/** One part of an Office Open XML package (ECMA-376 part 2): a named stretch of bytes in its zip. */
export interface Part {
  readonly name: string;
  readonly size: number;
  readonly compressedSize: number;
  readonly entry: Entry;
}

/** The parts of a package. Sizes are told by the zip's directory and asked against the limits before anything is decoded. */
export class OfficePackage {
  readonly #source: Source;
  readonly #directory: ZipDirectory;
  readonly #parts: ReadonlyMap<string, Part>;
  readonly #limits: PackageLimits;
  readonly #opened = new Set<string>();
  #claimed = 0;

  private constructor(source: Source, directory: ZipDirectory, limits: PackageLimits) {
    this.#source = source;
    this.#directory = directory;
    this.#limits = limits;
    const parts = new Map<string, Part>();
    for (const entry of directory.entries) {
      const name = entry.fileName.replace(/^\/+/, "");
      parts.set(name.toLowerCase(), { name, size: entry.uncompressedSize, compressedSize: entry.compressedSize, entry });
    }
    this.#parts = parts;
  }

  /** Throws `unreadable` for what is no zip, and `limit_exceeded`. */
  static async open(source: Source, limits: PackageLimits): Promise<OfficePackage> {
    return new OfficePackage(source, await readZipDirectory(source, MAX_ENTRIES), limits);
  }

  /** A part by its name; names do not differ in case alone. */
  find(name: string): Part | null {
    return this.#parts.get(name.toLowerCase()) ?? null;
  }

  /** The first part whose name matches. */
  search(pattern: RegExp): Part | null {
    for (const part of this.#parts.values()) if (pattern.test(part.name)) return part;
    return null;
  }

  /** A part's XML as UTF-8 in chunks. `onRaw` is told how much of its compressed bytes was consumed. */
  async *xml(part: Part, onRaw: (bytes: number) => void = () => {}): AsyncGenerator<Uint8Array> {
    this.#check(part);
    const from = await this.#directory.dataStart(part.entry);
    const { compressionMethod: method, compressedSize, uncompressedSize, crc32 } = part.entry;
    const data = { name: part.name, from, to: from + compressedSize, deflated: method === 8, size: uncompressedSize, crc: crc32 };
    yield* utf8Xml(inflateEntry(this.#source, data, onRaw), part.name);
  }

  /** A part's XML as a whole. Throws `limit_exceeded` where it claims more than such a part needs. */
  async wholeXml(part: Part): Promise<Uint8Array> {
    if (part.size > MAX_SMALL_PART) {
      throw new Fault(
        "limit_exceeded",
        `the part ${part.name} has ${part.size} bytes, at most ${MAX_SMALL_PART} are allowed (limit partBytes)`,
        {
          field: "partBytes",
          value: part.size,
          limit: MAX_SMALL_PART,
        },
      );
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.xml(part)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  #check(part: Part): void {
    const { name, size, compressedSize, entry } = part;
    if (entry.isEncrypted()) throw new Fault("unreadable", `the part ${name} is encrypted`, { field: "part", value: name });
    if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
      throw new Fault("unreadable", `the part ${name} is compressed by method ${entry.compressionMethod}; workbooks use deflate`, {
        field: "part",
        value: name,
      });
    }
    const ratio = Math.min(this.#limits.ratio, MAX_RATIO);
    if (size > RATIO_FROM_BYTES && size > compressedSize * ratio) {
      throw new Fault(
        "limit_exceeded",
        `the part ${name} unfolds from ${compressedSize} bytes to ${size}, more than ${ratio} times as many (limit ratio)`,
        {
          field: "ratio",
          value: Math.round(size / Math.max(compressedSize, 1)),
          limit: ratio,
        },
      );
    }
    if (this.#opened.has(name)) return;
    this.#opened.add(name);
    this.#claimed += size;
    const limit = this.#limits.decodedBytes;
    if (this.#claimed > limit) {
      throw new Fault("limit_exceeded", `the workbook's parts have ${this.#claimed} bytes, more than ${limit} (limit decodedBytes)`, {
        field: "decodedBytes",
        value: this.#claimed,
        limit,
      });
    }
  }
}
