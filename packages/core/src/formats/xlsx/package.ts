import { Fault } from "../../domain/fault.ts";
import type { FormatLimits } from "../format.ts";
import type { Source } from "../source.ts";
import { type ZipEntry, ZipReader } from "../zip-reader.ts";
import { utf8Xml } from "./xml-encoding.ts";

/** XML compresses 5 to 50 times, other data a thousandfold at most: what unfolds far beyond that was made to. Asked of large parts. */
const RATIO_SHARE = 1 / 4;
const RATIO_FROM_BYTES = 64 * 2 ** 20;
/** What inflating gives at a time: larger chunks would have to be put together from these. */
const CHUNK_BYTES = 128 * 1024;
/** Parts that are held as a whole, such as the list of sheets or the styles, take some four times their size. */
const WHOLE_SHARE = 1 / 4;

/**
 * The parts of an Office Open XML package (ECMA-376 part 2): files in a zip, which name each other. Their sizes are told by
 * the zip's directory and asked against the limits before anything is decoded.
 */
export class OfficePackage {
  readonly #zip: ZipReader;
  readonly #parts: ReadonlyMap<string, ZipEntry>;
  readonly #limits: FormatLimits;

  private constructor(zip: ZipReader, limits: FormatLimits) {
    this.#zip = zip;
    this.#limits = limits;
    this.#parts = new Map(zip.entries.map((entry) => [entry.name.toLowerCase(), entry]));
  }

  /** Throws `unreadable` for what is no zip, and `limit_exceeded`. */
  static async open(source: Source, limits: FormatLimits): Promise<OfficePackage> {
    return new OfficePackage(await ZipReader.open(source, { ...limits, chunkBytes: Math.min(limits.chunkBytes, CHUNK_BYTES) }), limits);
  }

  /** A part by its name; names do not differ in case alone. */
  find(name: string): ZipEntry | null {
    return this.#parts.get(name.toLowerCase()) ?? null;
  }

  /** Throws `limit_exceeded` when these parts claim more than may be decoded, before any of them is. */
  checkClaims(parts: readonly (ZipEntry | null)[]): void {
    this.#zip.checkClaims(parts.filter((part) => part !== null));
  }

  /** A part's XML as UTF-8 in chunks. `onRaw` is told how much of its compressed bytes was consumed. */
  xml(part: ZipEntry, onRaw: (bytes: number) => void = () => {}): AsyncGenerator<Uint8Array> {
    this.#checkRatio(part);
    const zip = this.#zip;
    const chunks = async function* () {
      for await (const { bytes, rawBytes } of zip.read(part)) {
        onRaw(rawBytes);
        yield bytes;
      }
    };
    return utf8Xml(chunks(), part.name);
  }

  /** A part's XML as a whole. Throws `limit_exceeded` where it claims more than such a part needs. */
  async wholeXml(part: ZipEntry): Promise<Uint8Array> {
    const most = Math.floor(this.#limits.footerBytes * WHOLE_SHARE);
    if (part.bytes > most) {
      throw new Fault(
        "limit_exceeded",
        `the part ${part.name} has ${part.bytes} bytes, at most ${most} are allowed (a quarter of limit footerBytes)`,
        { field: "footerBytes", value: part.bytes, limit: most },
      );
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.xml(part)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  #checkRatio({ name, bytes, packedBytes }: ZipEntry): void {
    const ratio = Math.floor(this.#limits.ratio * RATIO_SHARE);
    if (bytes <= RATIO_FROM_BYTES || bytes <= packedBytes * ratio) return;
    throw new Fault(
      "limit_exceeded",
      `the part ${name} unfolds from ${packedBytes} bytes to ${bytes}, more than ${ratio} times as many (a quarter of limit ratio; SLUICE_MAX_RATIO raises it)`,
      { field: "ratio", value: Math.round(bytes / Math.max(packedBytes, 1)), limit: ratio },
    );
  }
}
