import { Fault } from "../../domain/fault.ts";
import { headEncoding } from "../csv-head.ts";
import type { DecodedChunk } from "../decompress.ts";
import type { FormatInput } from "../format.ts";
import { decodeText } from "../text-encoding.ts";

/** The file as UTF-8, whatever it is written in, and what that is. Places in it are counted in bytes of its UTF-8. */
export async function utf8Input(input: FormatInput): Promise<{ readonly encoding: string; readonly input: FormatInput }> {
  const encoding = await headEncoding(input);
  if (encoding === "utf-8") return { encoding, input };
  const decoded = () => asUtf8(input, encoding);
  const random = async () => {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const { bytes } of decoded()) {
      size += bytes.length;
      if (size > input.limits.heldBytes) throw tooLarge(encoding, input.limits.heldBytes);
      parts.push(bytes);
    }
    const whole = Buffer.concat(parts, size);
    return { size, read: (from: number, to: number) => Promise.resolve(whole.subarray(from, to)) };
  };
  return { encoding, input: { ...input, decoded, random } };
}

async function* asUtf8(input: FormatInput, encoding: string): AsyncGenerator<DecodedChunk> {
  for await (const { text, rawBytes } of decodeText(input.decoded(), encoding)) yield { bytes: Buffer.from(text), rawBytes };
}

function tooLarge(encoding: string, limit: number): Fault {
  return new Fault(
    "limit_exceeded",
    `a document of more than ${limit} bytes in ${encoding} is not read (limit heldBytes): send it as UTF-8`,
    {
      field: "heldBytes",
      limit,
    },
  );
}
