import { FlatTable } from "./flatbuffer.ts";
import { CONTINUATION, uint32 } from "./framing.ts";

const SCHEMA = 1;

/**
 * Whether the head of a file is that of an Arrow stream, which has no magic bytes: a length, and behind it a message whose
 * header is a schema. Before version 0.15 four bytes fewer stand ahead of it: then all of the message must be there.
 */
export function looksLikeArrowStream(head: Uint8Array): boolean {
  if (head.length < 16) return false;
  const from = uint32(head) === CONTINUATION ? 8 : 4;
  const length = uint32(head.subarray(from - 4));
  if (length < 16 || length > 0x7fffffff || length % 4 !== 0) return false;
  if (from === 4 && from + length > head.length) return false;
  try {
    const message = FlatTable.root(head.subarray(from, from + length));
    const version = message.int16(0);
    return version >= 3 && version <= 4 && message.uint8(1) === SCHEMA && message.int64(3) === 0n && message.table(2) !== null;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
