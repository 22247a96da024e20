import { Readable } from "node:stream";
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";
import { Fault } from "../domain/fault.ts";
import type { Source } from "./source.ts";

/** A directory is read in records of some dozen bytes: each is cut from a window of the source instead of being asked for. */
const WINDOW_BYTES = 64 * 1024;
/** Most bytes of names, extra fields and comments in a directory. */
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;

/** What yauzl reads a zip through. A failure of the source, or of yauzl itself on hostile bytes, rejects `failed`. */
class SourceReader extends RandomAccessReader {
  readonly failed: Promise<never>;
  #fail: (error: unknown) => void = () => {};
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;
  readonly #source: Source;

  constructor(source: Source) {
    super();
    this.#source = source;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  override read(buffer: Buffer, offset: number, length: number, position: number, callback: (error: Error | null) => void): void {
    void this.#readInto(buffer.subarray(offset, offset + length), position, callback);
  }

  override _readStreamForRange(): Readable {
    throw new Error("entries are read by their ranges, not by streams");
  }

  /** What yauzl throws in its callback is caught too. */
  async #readInto(into: Uint8Array, position: number, callback: (error: Error | null) => void): Promise<void> {
    try {
      const bytes = await this.#bytes(position, position + into.length);
      into.set(bytes);
      callback(bytes.length < into.length ? new Error("it ends too early") : null);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #bytes(from: number, to: number): Promise<Uint8Array> {
    if (!Number.isSafeInteger(from) || from < 0 || from >= this.#source.size) return new Uint8Array(0);
    const within = from >= this.#windowAt && to <= this.#windowAt + this.#window.length;
    if (!within) {
      this.#window = await this.#source.read(from, Math.max(to, from + WINDOW_BYTES));
      this.#windowAt = from;
    }
    return this.#window.subarray(from - this.#windowAt, to - this.#windowAt);
  }
}

/** The central directory of a zip, and where its entries' bytes lie. */
export interface ZipDirectory {
  readonly entries: readonly Entry[];
  /** Offset of an entry's first byte of data, behind its local header. */
  dataStart(entry: Entry): Promise<number>;
}

/**
 * Reads a zip's central directory and nothing else (APPNOTE 4.3.12; zip64 and data descriptors are told there).
 * Throws `unreadable` for what is no zip or a damaged one, `limit_exceeded` for more than `maxEntries`. `strictNames` refuses
 * backslashes in names, which are taken for slashes otherwise, since zips made on Windows have them.
 */
export async function readZipDirectory(source: Source, maxEntries: number, strictNames = false): Promise<ZipDirectory> {
  const reader = new SourceReader(source);
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await Promise.race([work, reader.failed]);
    } catch (error) {
      if (error instanceof Fault || !(error instanceof Error) || error.name === "AbortError") throw error;
      const unsupported = error.message.includes("not supported");
      throw new Fault(unsupported ? "unsupported_format" : "unreadable", `no readable zip archive: ${error.message}`, { cause: error });
    }
  };
  const zip = await guarded(
    fromRandomAccessReaderPromise(reader, source.size, { autoClose: false, lazyEntries: true, strictFileNames: strictNames }),
  );
  zip.on("error", () => {});
  if (zip.entryCount > maxEntries) {
    throw new Fault(
      "limit_exceeded",
      `the zip archive has ${zip.entryCount} entries, at most ${maxEntries} are allowed (limit zipEntries)`,
      {
        field: "zipEntries",
        value: zip.entryCount,
        limit: maxEntries,
      },
    );
  }
  const entries = await guarded(allEntries(zip));
  return {
    entries,
    dataStart: async (entry) => (await guarded(zip.readLocalFileHeaderPromise(entry, { minimal: true }))).fileDataStart,
  };
}

function allEntries(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  return new Promise((resolve, reject) => {
    let bytes = 0;
    zip.on("entry", (entry: Entry) => {
      entries.push(entry);
      bytes += entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
      if (bytes > MAX_DIRECTORY_BYTES) {
        reject(directoryTooLarge(bytes));
        return;
      }
      zip.readEntry();
    });
    zip.on("end", () => resolve(entries));
    zip.on("error", reject);
    zip.readEntry();
  });
}

function directoryTooLarge(bytes: number): Fault {
  return new Fault(
    "limit_exceeded",
    `the names and comments in the zip archive take more than ${MAX_DIRECTORY_BYTES} bytes (limit zipDirectory)`,
    {
      field: "zipDirectory",
      value: bytes,
      limit: MAX_DIRECTORY_BYTES,
    },
  );
}
