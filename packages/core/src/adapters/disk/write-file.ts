import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { PutOptions, Stored } from "../../ports/object-store.ts";
import { untilAborted } from "../until-aborted.ts";
import { diskFault } from "./disk-fault.ts";
import type { RequireSpace } from "./free-space.ts";
import { Gatherer } from "./gather.ts";

const SPACE_CHECK_BYTES = 64 << 20;

/**
 * Writes the whole source to the open file and makes it durable, hashing and reading on while the write before is in
 * flight. Disk errors become faults; the source's own error and the signal's reason pass as they are.
 */
export async function writeFile(
  handle: FileHandle,
  source: AsyncIterable<Uint8Array>,
  options: PutOptions,
  requireSpace: RequireSpace,
): Promise<Stored> {
  const hash = createHash("sha256");
  const gathered = new Gatherer();
  let bytes = 0;
  let nextCheck = SPACE_CHECK_BYTES;
  let writing: Promise<void> = Promise.resolve();
  try {
    for await (const chunk of untilAborted(source, options.signal)) {
      if (chunk.length === 0) continue;
      bytes += chunk.length;
      hash.update(chunk);
      gathered.add(chunk);
      if (!gathered.isFull) continue;
      await writing;
      if (bytes >= nextCheck) {
        nextCheck += SPACE_CHECK_BYTES;
        await requireSpace(0);
      }
      writing = writeAll(handle, gathered.take());
      writing.catch(() => undefined); // Awaited above or below; until then it must not count as unhandled.
    }
  } finally {
    // The file is closed and removed next: no write may be under way then.
    await writing.catch(() => undefined);
  }
  await writing;
  await writeAll(handle, gathered.take());
  await handle.sync().catch((error: unknown) => {
    throw diskFault(error, "sync an object");
  });
  return { bytes, sha256: hash.digest("hex") };
}

/** writev may write less than it was given (a disk that just filled up): the rest is offered again, and then fails. */
async function writeAll(handle: FileHandle, blocks: Uint8Array[]): Promise<void> {
  try {
    let rest = blocks;
    while (rest.length > 0) {
      const { bytesWritten } = await handle.writev(rest);
      rest = after(rest, bytesWritten);
    }
  } catch (error) {
    throw diskFault(error, "write an object");
  }
}

function after(blocks: Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  let at = 0;
  for (let block = blocks[at]; block !== undefined && skip >= block.length; block = blocks[++at]) skip -= block.length;
  const first = blocks[at];
  return first === undefined ? [] : [first.subarray(skip), ...blocks.slice(at + 1)];
}
