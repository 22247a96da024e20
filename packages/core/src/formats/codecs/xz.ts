import { Fault } from "../../domain/fault.ts";
import { ByteQueue } from "./byte-queue.ts";
import { broken, cutOff, garbageAfter, type Inflated } from "./codec.ts";
import { XZ, XzContext } from "./xz-module.ts";

/** What xz-decompress is built for: the dictionary of `xz -9`. */
const MAX_XZ_DICTIONARY = 64 * 2 ** 20;
/** Stream header and footer. */
const SHORTEST_BYTES = 24;

/** xz with all its streams and the padding between and after them. Every checksum is compared. */
export async function* unxz(input: AsyncIterable<Uint8Array>): AsyncGenerator<Inflated> {
  const queue = new ByteQueue(input);
  const context = await XzContext.open();
  let decoded = 0;
  let trapped = false;
  try {
    const head = await queue.fill(SHORTEST_BYTES);
    if (head.length < SHORTEST_BYTES) throw cutOff("xz", 0);
    for (;;) {
      if (context.unused === 0) context.give((await queue.fill(1), queue.take(context.size)));
      const atEnd = queue.ready.length === 0 && context.unused === 0 && (await queue.fill(1)).length === 0;
      const before = context.unused;
      const { code, bytes } = context.step();
      const consumed = queue.taken - context.unused;
      decoded += bytes.length;
      if (bytes.length > 0) yield { bytes, consumed };
      if (code === XZ.end) break;
      if (code !== XZ.ok) throw faultOf(code, consumed, decoded);
      // No input left, none used and nothing made of it: it waits for what does not come.
      if (atEnd && bytes.length === 0 && before === 0) throw cutOff("xz", decoded);
    }
    const end = queue.taken - context.unused;
    if (context.unused > 0 || (await queue.fill(1)).length > 0) throw garbageAfter("xz", end);
  } catch (error) {
    trapped = error instanceof Error && error.name === "RuntimeError";
    throw error;
  } finally {
    if (!trapped) context.close();
    await queue.close();
  }
}

function faultOf(code: number, at: number, decoded: number): Fault {
  switch (code) {
    case XZ.memoryLimit:
    case XZ.memory:
      return new Fault(
        "limit_exceeded",
        `the xz stream needs a dictionary of more than ${MAX_XZ_DICTIONARY} bytes (limit xzDictionary, fixed): compress it with xz -9 or less`,
        { field: "xzDictionary", limit: MAX_XZ_DICTIONARY },
      );
    case XZ.options:
      return new Fault("unsupported_format", `the xz stream at byte ${at} uses a filter or a checksum (SHA-256) that is not supported`, {
        field: "compression",
        value: "xz",
      });
    case XZ.format:
      return decoded > 0 ? garbageAfter("xz", at) : broken("xz", "it does not begin with an xz header", 0);
    default:
      return broken("xz", "damaged data or a wrong checksum", decoded);
  }
}
