import { crc32 } from "node:zlib";
import type { Entry } from "yauzl";
import { Fault, isFault } from "../domain/fault.ts";
import { bunzip2 } from "./codecs/bzip2.ts";
import type { Codec, Inflated } from "./codecs/codec.ts";
import { inflateRaw } from "./codecs/gzip.ts";
import { unxz } from "./codecs/xz.ts";
import { unzstd } from "./codecs/zstd.ts";
import { checkBytes, DecodeBudget } from "./decode-budget.ts";
import { type DecodedChunk, headOf, rawChunks, rechunk, within } from "./decompress.ts";
import type { FormatLimits } from "./format.ts";
import type { Source } from "./source.ts";
import { readZipDirectory, type ZipDirectory } from "./zip-directory.ts";

type ZipLimits = Pick<FormatLimits, "chunkBytes" | "decodedBytes" | "ratio" | "zipEntries">;

/** One file of a zip as its central directory has it. Sizes are claims until it is read. */
export interface ZipEntry {
  /** With `/` between folders; no absolute path, no `..`. */
  readonly name: string;
  readonly folder: boolean;
  readonly bytes: number;
  readonly packedBytes: number;
}

/** Compression methods of APPNOTE.TXT 4.4.5. */
const STORED = 0;
const METHODS: ReadonlyMap<number, Codec> = new Map([
  [8, inflateRaw],
  [12, bunzip2],
  [93, unzstd],
  [95, unxz],
]);

/**
 * A zip whose central directory has been read: the entries are no more than allowed and do not overlap. What is read of an
 * entry must be as long as claimed and have its checksum. Zip64, data descriptors and the methods stored, deflate, bzip2,
 * zstd and xz are read.
 */
export class ZipReader {
  readonly entries: readonly ZipEntry[];
  readonly #records: ReadonlyMap<ZipEntry, Entry>;
  readonly #directory: ZipDirectory;
  readonly #source: Source;
  readonly #limits: ZipLimits;
  readonly #budget: DecodeBudget;

  private constructor(directory: ZipDirectory, source: Source, limits: ZipLimits, budget: DecodeBudget) {
    this.#directory = directory;
    this.#records = new Map(directory.entries.map((record) => [entryOf(record), record]));
    this.entries = [...this.#records.keys()];
    this.#source = source;
    this.#limits = limits;
    this.#budget = budget;
  }

  /** Throws `unreadable`, `unsupported_format` or `limit_exceeded`. `strictNames` as `readZipDirectory` has it. */
  static async open(source: Source, limits: ZipLimits, strictNames = false): Promise<ZipReader> {
    const directory = await readZipDirectory(source, limits.zipEntries, strictNames);
    checkOverlap(directory.entries);
    return new ZipReader(directory, source, limits, new DecodeBudget(limits));
  }

  /** Throws `limit_exceeded` when the entries claim more than may be decoded, before any of them is. */
  checkClaims(entries: readonly ZipEntry[]): void {
    checkBytes(
      entries.reduce((sum, { bytes }) => sum + bytes, 0),
      this.#limits.decodedBytes,
    );
  }

  /** What compressed bytes beneath an entry's own are counted in. */
  get budget(): DecodeBudget {
    return this.#budget;
  }

  /** The first `length` decoded bytes, or what can be decoded of them, as `headOf` has them. */
  head(entry: ZipEntry, length: number): Promise<Uint8Array> {
    return headOf(this.#inflate(entry), length);
  }

  /** The decoded bytes of an entry, in chunks as `decode` gives them; `rawBytes` counts its packed bytes. */
  async *read(entry: ZipEntry): AsyncGenerator<DecodedChunk> {
    yield* rechunk(
      within(entry, this.#inflate(entry), (part) => part.consumed, this.#budget),
      this.#limits.chunkBytes,
    );
  }

  /** True when the entry's bytes lie in the zip as they are. */
  isStored(entry: ZipEntry): boolean {
    const record = this.#recordOf(entry);
    return record.compressionMethod === STORED && !record.isEncrypted();
  }

  /** A stored entry as a source, where it lies. Its checksum is not compared then. */
  random(entry: ZipEntry): Promise<Source> {
    return this.#packed(this.#recordOf(entry));
  }

  async *#inflate(entry: ZipEntry): AsyncGenerator<Inflated> {
    const record = this.#recordOf(entry);
    const codec = codecOf(record);
    const packed = rawChunks(await this.#packed(record), this.#limits.chunkBytes);
    let crc = 0;
    let length = 0;
    for await (const part of named(record, codec(packed))) {
      length += part.bytes.length;
      if (length > record.uncompressedSize) throw lies(record, `it holds more than the ${record.uncompressedSize} bytes that it claims`);
      crc = crc32(part.bytes, crc);
      yield part;
    }
    if (length < record.uncompressedSize) throw lies(record, `it holds ${length} bytes, but claims ${record.uncompressedSize}`);
    if (crc !== record.crc32) throw lies(record, "its checksum does not agree");
  }

  /** The packed bytes, which begin behind the local header. */
  async #packed(record: Entry): Promise<Source> {
    const from = await this.#directory.dataStart(record);
    const size = record.compressedSize;
    return { size, read: (a, b) => this.#source.read(from + a, from + Math.min(b, size)) };
  }

  #recordOf(entry: ZipEntry): Entry {
    const record = this.#records.get(entry);
    if (record === undefined) throw new Error(`the zip has no such entry: ${entry.name}`);
    return record;
  }
}

function entryOf(record: Entry): ZipEntry {
  const { fileName: name, uncompressedSize: bytes, compressedSize: packedBytes } = record;
  return { name, folder: name.endsWith("/"), bytes, packedBytes };
}

/** Two entries that share packed bytes are how a few kilobytes become petabytes. */
function checkOverlap(records: readonly Entry[]): void {
  const inOrder = records.toSorted((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  let end = 0;
  let before = "";
  for (const record of inOrder) {
    const from = record.relativeOffsetOfLocalHeader;
    if (from < end) {
      throw new Fault("unreadable", `the zip is broken: ${quoted(record.fileName)} begins within ${quoted(before)}`, {
        value: record.fileName,
      });
    }
    // The local header is at least 30 bytes and the name; its extra field may differ from the directory's.
    end = from + 30 + record.fileNameLength + record.compressedSize;
    before = record.fileName;
  }
}

function codecOf(record: Entry): Codec {
  const refuse = (why: string): never => {
    throw new Fault("unsupported_format", `the zip entry ${quoted(record.fileName)} ${why}`, {
      field: "compression",
      value: record.fileName,
    });
  };
  if (record.isEncrypted()) refuse("is encrypted: send it without a password");
  if (record.compressionMethod === STORED) return stored;
  const codec = METHODS.get(record.compressionMethod);
  return codec ?? refuse(`is packed by method ${record.compressionMethod}, which is not supported: pack it with deflate`);
}

/** A codec's faults with the entry's name. */
async function* named(record: Entry, inflated: AsyncIterable<Inflated>): AsyncGenerator<Inflated> {
  try {
    yield* inflated;
  } catch (error) {
    if (!isFault(error) || error.code !== "unreadable") throw error;
    throw lies(record, error.message, error);
  }
}

async function* stored(input: AsyncIterable<Uint8Array>): AsyncGenerator<Inflated> {
  let consumed = 0;
  for await (const bytes of input) {
    consumed += bytes.length;
    yield { bytes, consumed };
  }
}

function lies(record: Entry, why: string, cause?: Fault): Fault {
  const message = `the zip entry ${quoted(record.fileName)} is broken: ${why}`;
  return new Fault("unreadable", message, { value: record.fileName, ...(cause === undefined ? {} : { cause }) });
}

const quoted = (name: string) => JSON.stringify(name);
