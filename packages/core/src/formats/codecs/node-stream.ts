import { Readable, type Transform } from "node:stream";
import type { Inflated } from "./codec.ts";

/** A decoder of node:zlib; `bytesWritten` counts what it has used up. */
export type NodeDecoder = Transform & { readonly bytesWritten: number };

/** What a decoder makes of the chunks. Throws what either of them throws; both are destroyed in the end. */
export async function* throughDecoder(decoder: NodeDecoder, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Inflated> {
  const input = Readable.from(chunks, { objectMode: false, highWaterMark: 1 });
  input.on("error", (error) => decoder.destroy(error));
  input.pipe(decoder);
  try {
    for await (const bytes of decoder as AsyncIterable<Buffer>) yield { bytes, consumed: decoder.bytesWritten };
  } finally {
    input.destroy();
    decoder.destroy();
  }
}

/** An error of the codec itself, not of what feeds it. */
export function isZlibError(error: unknown): error is Error & { code: string } {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
  return error.code.startsWith("Z_") || error.code.startsWith("ZSTD_");
}
