import type { Source } from "../source.ts";
import { ByteStream } from "./byte-stream.ts";
import { Chunks, type Compression, readFooter } from "./chunks.ts";
import { intsOf } from "./column-reader.ts";
import { damaged } from "./damage.ts";
import { HeldBytes } from "./held-bytes.ts";
import type { StripeInfo } from "./footer.ts";
import { PresentReader } from "./presence.ts";
import type { RleInts } from "./rle-int.ts";
import type { OrcType } from "./schema.ts";
import { type Encoding, parseStripeFooter, STREAM, type StripeFooter } from "./stripe-footer.ts";

/** What all stripes of a file share. */
export interface OrcFile {
  readonly source: Source;
  readonly compression: Compression;
  readonly types: number;
  /** Decimals of up to 18 digits are whole numbers in runs: drafts of version 2.0. */
  readonly shortDecimals: boolean;
  /** Days before 1582-10-15 are those of the Julian calendar. */
  readonly julian: boolean;
}

/** How much of a stream is read at a time: of all that a stripe has some 32 MB. */
const READ_AHEAD_BYTES = 32 * 2 ** 20;
const MAX_READ_BYTES = 256 * 1024;
const MIN_READ_BYTES = 4 * 1024;

/** A stripe whose footer was read: its streams can be opened. */
export class Stripe {
  readonly #file: OrcFile;
  readonly #footer: StripeFooter;
  readonly #source: Source;
  readonly #held: HeldBytes;

  constructor(file: OrcFile, footer: StripeFooter, source: Source) {
    this.#held = new HeldBytes(file.compression.heldBytes);
    this.#file = file;
    this.#footer = footer;
    this.#source = source;
  }

  static async open(file: OrcFile, info: StripeInfo): Promise<Stripe> {
    const { source, compression, types } = file;
    const end = info.offset + info.indexLength + info.dataLength;
    const bytes = await readFooter(source, compression, end, info.footerLength);
    const footer = parseStripeFooter(bytes, types, info.offset, end);
    return new Stripe(file, footer, await held(source, info.offset + info.indexLength, end));
  }

  get timezone(): string {
    return this.#footer.timezone;
  }

  get shortDecimals(): boolean {
    return this.#file.shortDecimals;
  }

  /** Counts the memory that values of this stripe would take together. Throws `limit_exceeded` for a bomb. */
  countRows(bytes: number): void {
    this.#file.compression.countRows(bytes);
  }

  get julian(): boolean {
    return this.#file.julian;
  }

  encoding({ id }: OrcType): Encoding {
    const encoding = this.#footer.encodings[id];
    if (!encoding) throw damaged(`a stripe has no encoding for type ${id}`);
    return encoding;
  }

  /** A stream that need not be there: null where it is not. */
  maybe({ id }: OrcType, kind: (typeof STREAM)[keyof typeof STREAM]): ByteStream | null {
    const span = this.#footer.stream(id, kind);
    const { compression, types } = this.#file;
    const readBytes = Math.max(MIN_READ_BYTES, Math.min(MAX_READ_BYTES, Math.floor(READ_AHEAD_BYTES / types)));
    return span && new ByteStream(new Chunks(this.#source, compression, { ...span, readBytes }), this.#held);
  }

  /** A stream; without bytes where the stripe has none, so that asking for a value is what fails. */
  stream(type: OrcType, kind: (typeof STREAM)[keyof typeof STREAM]): ByteStream {
    return this.maybe(type, kind) ?? new ByteStream(null, this.#held);
  }

  ints(type: OrcType, kind: (typeof STREAM)[keyof typeof STREAM], signed: boolean): RleInts {
    return intsOf(this.stream(type, kind), this.encoding(type), signed);
  }

  present(type: OrcType): PresentReader {
    return new PresentReader(this.maybe(type, STREAM.present));
  }
}

/** A stripe's data up to this size is read at once; of a larger one each stream is read piece by piece. */
const HELD_BYTES = 16 * 2 ** 20;

async function held(source: Source, from: number, to: number): Promise<Source> {
  if (to - from > HELD_BYTES) return source;
  const bytes = await source.read(from, to);
  return {
    size: source.size,
    read: (a, b) => (a >= from && b <= to ? Promise.resolve(bytes.subarray(a - from, b - from)) : source.read(a, b)),
  };
}
