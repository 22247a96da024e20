import { isUtf8 } from "node:buffer";
import { TextDecoder } from "node:util";
import { Fault } from "../../domain/fault.ts";
import { cutOff } from "../utf8-text.ts";

/**
 * The XML of a part as valid UTF-8, whole characters in each chunk, without its byte order mark. UTF-16 and what else an XML
 * declaration may name is decoded. Throws `unreadable` for bytes that are not what they say.
 */
export async function* utf8Xml(chunks: AsyncIterable<Uint8Array>, part: string): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  let decoder: TextDecoder | null = null;
  let started = false;
  for await (const chunk of chunks) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    rest = bytes.subarray(bytes.length);
    if (!started) {
      if (bytes.length < DECLARATION_BYTES && !endsDeclaration(bytes)) {
        rest = bytes;
        continue;
      }
      started = true;
      decoder = decoderFor(bytes, part);
      if (decoder === null && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
    }
    if (decoder !== null) {
      yield Buffer.from(decoded(decoder, bytes, part));
      continue;
    }
    const whole = bytes.length - cutOff(bytes);
    rest = bytes.subarray(whole);
    yield checked(bytes.subarray(0, whole), part);
  }
  if (rest.length > 0) yield checked(rest, part);
  if (decoder !== null) decoded(decoder, null, part);
}

/** An XML declaration is shorter than this. */
const DECLARATION_BYTES = 256;

function endsDeclaration(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes.indexOf(0x3e) >= 0;
}

function decoderFor(bytes: Uint8Array, part: string): TextDecoder | null {
  const name = encodingOf(bytes);
  if (name === null) return null;
  try {
    return new TextDecoder(name, { fatal: true });
  } catch {
    throw new Fault("unreadable", `the part ${part} is written in ${name}, which is no known encoding`, { field: "encoding", value: name });
  }
}

/** XML 1.0 appendix F: by its mark, by how `<?` is written, by its declaration. */
function encodingOf(bytes: Uint8Array): string | null {
  const [a, b, c, d] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0 && c !== 0 && d === 0)) return "utf-16le";
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c && c === 0 && d !== 0)) return "utf-16be";
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, DECLARATION_BYTES)).toString("latin1");
  const declared = /^(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']/.exec(head)?.[1] ?? null;
  // What can be read here byte by byte is no UTF-16, whatever it says of itself.
  return declared !== null && /^(utf-?16|ucs-?2|utf-?8|us-ascii)/i.test(declared) ? null : declared;
}

function decoded(decoder: TextDecoder, bytes: Uint8Array | null, part: string): string {
  try {
    return bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw new Fault("unreadable", `the part ${part} holds bytes that are no ${decoder.encoding}`, { field: "part", value: part });
  }
}

function checked(bytes: Uint8Array, part: string): Uint8Array {
  if (isUtf8(bytes)) return bytes;
  throw new Fault("unreadable", `the part ${part} holds bytes that are no UTF-8`, { field: "part", value: part });
}
