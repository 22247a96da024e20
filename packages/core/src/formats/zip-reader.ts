import { crc32 } from "node:zlib";
import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from "yauzl";
import { Fault, isFault } from "../domain/fault.ts";
import { bunzip2 } from "./codecs/bzip2.ts";
import type { Codec, Inflated } from "./codecs/codec.ts";
import { inflateRaw } from "./codecs/gzip.ts";
import { unxz } from "./codecs/xz.ts";
import { unzstd } from "./codecs/zstd.ts";
import { checkBytes, DecodeBudget } from "./decode-budget.ts";
import { type DecodedChunk, held, rawChunks, rechunk, within } from "./decompress.ts";
import type { FormatLimits } from "./format.ts";
import type { Source } from "./source.ts";
import { SourceReader } from "./zip-source.ts";

type ZipLimits = Pick<FormatLimits, "chunkBytes" | "decodedBytes" | "ratio" | "heldBytes" | "footerBytes" | "zipEntries">;

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
 * A zip whose central directory has been read and checked: the entries fit the file and do not overlap, they are no more and
 * claim no more than allowed. What is read of an entry must be as long as claimed and have its checksum. Zip64, data
 * descriptors and the methods stored, deflate, bzip2, zstd and xz are read.
 */
export class ZipReader {
  readonly entries: readonly ZipEntry[];
  readonly #records: ReadonlyMap<ZipEntry, Entry>;
  readonly #zip: ZipFile;
  readonly #source: Source;
  readonly #limits: ZipLimits;
  readonly #budget: DecodeBudget;

  private constructor(zip: ZipFile, records: ReadonlyMap<ZipEntry, Entry>, source: Source, limits: ZipLimits, budget: DecodeBudget) {
    this.#zip = zip;
    this.#records = records;
    this.entries = [...records.keys()];
    this.#source = source;
    this.#limits = limits;
    this.#budget = budget;
  }

  /**
   * Reads the central directory. Throws `unreadable`, `unsupported_format` or `limit_exceeded`. `strictNames` refuses backslashes in
   * names, which are taken for slashes otherwise, since zips made on Windows have them. `budget` is shared with what is read beneath.
   */
  static async open(source: Source, limits: ZipLimits, more: { strictNames?: boolean; budget?: DecodeBudget } = {}): Promise<ZipReader> {
    const { strictNames = false, budget = new DecodeBudget(limits) } = more;
    return await refused(async () => {
      const zip = await fromRandomAccessReaderPromise(new SourceReader(source), source.size, {
        autoClose: false,
        strictFileNames: strictNames,
      });
      checkEntries(zip.entryCount, limits.zipEntries);
      const records = await readDirectory(zip, limits);
      checkOverlap([...records.values()]);
      return new ZipReader(zip, records, source, limits, budget);
    });
  }

  /** The entry of this name, the last where there are several, as zip tools have it. */
  find(name: string): ZipEntry | null {
    return this.entries.findLast((entry) => entry.name === name) ?? null;
  }

  /** The decoded bytes of an entry, in chunks as `decode` gives them; `rawBytes` counts its packed bytes. */
  async *read(entry: ZipEntry): AsyncGenerator<DecodedChunk> {
    yield* rechunk(
      within(entry, this.#inflate(entry), (part) => part.consumed, this.#budget),
      this.#limits.chunkBytes,
    );
  }

  /** An entry as a source: where it lies when it is stored (its checksum is not compared then), in memory otherwise (limit heldBytes). */
  async random(entry: ZipEntry): Promise<Source> {
    const record = this.#recordOf(entry);
    if (record.compressionMethod !== STORED || record.isEncrypted()) return await held(this.read(entry), "zip", this.#limits);
    return await this.#packed(record);
  }

  async *#inflate(entry: ZipEntry): AsyncGenerator<Inflated> {
    const record = this.#recordOf(entry);
    const codec = codecOf(record);
    const packed = rawChunks(await this.#packed(record), this.#limits.chunkBytes);
    let crc = 0;
    let length = 0;
    for await (const part of codec(packed)) {
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
    const { fileDataStart: from } = await refused(() => this.#zip.readLocalFileHeaderPromise(record, { minimal: true }));
    const size = record.compressedSize;
    return { size, read: (a, b) => this.#source.read(from + a, from + Math.min(b, size)) };
  }

  #recordOf(entry: ZipEntry): Entry {
    const record = this.#records.get(entry);
    if (record === undefined) throw new Error(`the zip has no such entry: ${entry.name}`);
    return record;
  }
}

async function readDirectory(zip: ZipFile, limits: ZipLimits): Promise<Map<ZipEntry, Entry>> {
  const records = new Map<ZipEntry, Entry>();
  let claimed = 0;
  let directoryBytes = 0;
  for await (const record of zip.eachEntry()) {
    claimed += record.uncompressedSize;
    checkBytes(claimed, limits.decodedBytes);
    directoryBytes += 46 + record.fileNameLength + record.extraFieldLength + record.fileCommentLength;
    checkDirectory(directoryBytes, limits.footerBytes);
    const { fileName: name, uncompressedSize: bytes, compressedSize: packedBytes } = record;
    records.set({ name, folder: name.endsWith("/"), bytes, packedBytes }, record);
  }
  return records;
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

async function* stored(input: AsyncIterable<Uint8Array>): AsyncGenerator<Inflated> {
  let consumed = 0;
  for await (const bytes of input) {
    consumed += bytes.length;
    yield { bytes, consumed };
  }
}

function lies(record: Entry, why: string): Fault {
  return new Fault("unreadable", `the zip entry ${quoted(record.fileName)} is broken: ${why}`, { value: record.fileName });
}

const quoted = (name: string) => JSON.stringify(name);

function checkEntries(count: number, limit: number): void {
  if (count <= limit) return;
  throw new Fault("limit_exceeded", `the zip has ${count} entries, at most ${limit} are allowed (limit zipEntries)`, {
    field: "zipEntries",
    value: count,
    limit,
  });
}

function checkDirectory(bytes: number, limit: number): void {
  if (bytes <= limit) return;
  throw new Fault("limit_exceeded", `the zip's directory takes more than ${limit} bytes (limit footerBytes)`, {
    field: "footerBytes",
    value: bytes,
    limit,
  });
}

/** What yauzl refuses as a fault; faults and surprises pass through. */
async function refused<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isFault(error) || !(error instanceof Error)) throw error;
    const unsupported = /not supported/.test(error.message);
    throw new Fault(unsupported ? "unsupported_format" : "unreadable", `the zip is broken: ${error.message}`, { cause: error });
  }
}
