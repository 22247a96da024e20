import { Fault } from "@sluice/core/domain/fault";
import { utf8 } from "./header-params.ts";
import type { ByteSource } from "./request-bytes.ts";

/** One part. `bytes` must be read to its end, or left for good, before the next part is asked for; what is left is skipped. */
export interface Part {
  /** Lower-case names; each once. */
  readonly headers: ReadonlyMap<string, string>;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Bytes of one part's headers, of what stands before the first boundary, and of what follows the last one. */
export const MAX_PART_HEADER_BYTES = 16 * 1_024;
export const MAX_MARGIN_BYTES = 64 * 1_024;
const CRLF = Buffer.from("\r\n");
const NOTHING = Buffer.alloc(0);

/**
 * The parts of a multipart body (RFC 2046 5.1, RFC 7578), pulled: one chunk in memory at a time. Anything malformed throws
 * `bad_multipart`. Written here because the parsers there are (busboy, @fastify/busboy, multer) skip a part whose
 * headers they cannot read without a word, which would answer 2xx to a file that is lost.
 */
export async function* multipartParts(source: ByteSource, boundary: string): AsyncGenerator<Part> {
  const window = new Window(source, Buffer.from(`\r\n--${boundary}`, "latin1"));
  await window.skipToDelimiter("before the first boundary");
  while (await window.afterDelimiter()) {
    const headers = await readHeaders(window);
    const bytes = window.partContent();
    yield { headers, bytes };
    for await (const _ of bytes) {
      // What the reader left.
    }
    if (!window.atDelimiter) throw new Error("a part was left before its end");
  }
  await window.skipRest();
}

async function readHeaders(window: Window): Promise<Map<string, string>> {
  const headers = new Map<string, string>();
  let room = MAX_PART_HEADER_BYTES;
  let last: string | null = null;
  for (;;) {
    const line = await window.line(room);
    if (line.length === 0) return headers;
    room -= line.length;
    const text = utf8(line) ?? line.toString("latin1");
    if (/^[ \t]/.test(text) && last !== null) {
      headers.set(last, `${headers.get(last) ?? ""} ${text.trim()}`);
      continue;
    }
    const found = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*([\s\S]*)$/.exec(text);
    if (!found || /[\r\n]/.test(text)) throw bad("a part's header line is not of the form Name: value", text);
    last = (found[1] ?? "").toLowerCase();
    if (headers.has(last)) throw bad("a part's header stands twice", last);
    headers.set(last, (found[2] ?? "").trimEnd());
  }
}

/** The bytes read and not yet handed on, and where in the body they stand. */
class Window {
  /** The delimiter of the current part has been met and passed. */
  atDelimiter = false;
  readonly #source: ByteSource;
  readonly #delimiter: Buffer;
  // As if a line had ended before the body: the first boundary needs none before it.
  #held: Buffer = CRLF;

  constructor(source: ByteSource, delimiter: Buffer) {
    this.#source = source;
    this.#delimiter = delimiter;
  }

  async #more(): Promise<void> {
    const chunk = await this.#source.next();
    if (chunk === null) throw new Fault("bad_multipart", "the multipart body ends before its closing boundary: it was cut off");
    this.#held = this.#held.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#held, chunk]);
  }

  async skipToDelimiter(where: string): Promise<void> {
    let skipped = 0;
    for await (const chunk of this.content()) {
      skipped += chunk.length;
      if (skipped > MAX_MARGIN_BYTES) {
        throw new Fault("bad_multipart", `more than ${MAX_MARGIN_BYTES} bytes stand ${where}`, { limit: MAX_MARGIN_BYTES });
      }
    }
  }

  /** Bytes up to the next delimiter, which is passed. */
  async *content(): AsyncGenerator<Buffer> {
    if (this.atDelimiter) return;
    for (;;) {
      const at = this.#held.indexOf(this.#delimiter);
      if (at !== -1) {
        const rest = this.#held.subarray(0, at);
        this.#held = this.#held.subarray(at + this.#delimiter.length);
        this.atDelimiter = true;
        if (rest.length > 0) yield rest;
        return;
      }
      const safe = this.#held.length - this.#possibleStart();
      const ready = this.#held.subarray(0, safe);
      this.#held = this.#held.subarray(safe);
      if (ready.length > 0) yield ready;
      await this.#more();
    }
  }

  /** Content of a part whose headers were read. Their empty line may already be the delimiter's own (RFC 2046: no content at all). */
  async *partContent(): AsyncGenerator<Buffer> {
    this.#held = Buffer.concat([CRLF, this.#held]);
    let first = true;
    for await (const chunk of this.content()) {
      const own = first ? chunk.subarray(CRLF.length) : chunk;
      first = false;
      if (own.length > 0) yield own;
    }
  }

  /** Length of the longest end of what is held that may be the beginning of a delimiter. */
  #possibleStart(): number {
    const from = Math.max(0, this.#held.length - this.#delimiter.length + 1);
    for (let at = this.#held.indexOf(13, from); at !== -1; at = this.#held.indexOf(13, at + 1)) {
      const length = this.#held.length - at;
      if (this.#held.compare(this.#delimiter, 0, length, at) === 0) return length;
    }
    return 0;
  }

  /** What follows a delimiter: true when a part begins, false at the end of the body. */
  async afterDelimiter(): Promise<boolean> {
    while (this.#held.length < 2) await this.#more();
    if (this.#held[0] === 45 && this.#held[1] === 45) {
      this.#held = this.#held.subarray(2);
      return false;
    }
    const padding = await this.line(256);
    if (!/^[ \t]*$/.test(padding.toString("latin1")))
      throw bad("a boundary is followed by other text on its line", padding.toString("latin1"));
    this.atDelimiter = false;
    return true;
  }

  /** One line without its CRLF, at most `limit` bytes. */
  async line(limit: number): Promise<Buffer> {
    for (;;) {
      const at = this.#held.indexOf(CRLF);
      if (at > limit || (at === -1 && this.#held.length > limit + 1)) {
        throw new Fault("bad_multipart", `a part's headers are longer than ${MAX_PART_HEADER_BYTES} bytes`, {
          limit: MAX_PART_HEADER_BYTES,
        });
      }
      if (at !== -1) {
        const line = this.#held.subarray(0, at);
        this.#held = this.#held.subarray(at + 2);
        return line;
      }
      await this.#more();
    }
  }

  async skipRest(): Promise<void> {
    let skipped = this.#held.length;
    this.#held = NOTHING;
    for (;;) {
      if (skipped > MAX_MARGIN_BYTES) {
        throw new Fault("bad_multipart", `more than ${MAX_MARGIN_BYTES} bytes follow the closing boundary`, { limit: MAX_MARGIN_BYTES });
      }
      const chunk = await this.#source.next();
      if (chunk === null) return;
      skipped += chunk.length;
    }
  }
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function bad(message: string, value: string): Fault {
  return new Fault("bad_multipart", `${message}: ${value.slice(0, 100)}`, { value });
}
