import { Readable } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import { Fault } from "../../domain/fault.ts";
import type { Source } from "../source.ts";

/** A stretch of a zip entry's data. */
export interface EntryData {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly deflated: boolean;
  readonly size: number;
  readonly crc: number;
}

const READ_BYTES = 256 * 1024;
const OUT_BYTES = 256 * 1024;

/**
 * An entry's decoded bytes, never more of them than the directory claims. Throws `unreadable` where the data is broken or
 * cut off, or its size or CRC-32 is not what the directory says. `onRaw` is told how many raw bytes were consumed so far.
 */
export async function* inflateEntry(source: Source, data: EntryData, onRaw: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let size = 0;
  let crc = 0;
  for await (const bytes of data.deflated ? inflated(source, data, onRaw) : stored(source, data, onRaw)) {
    size += bytes.length;
    if (size > data.size) throw damaged(data, `it holds more than the ${data.size} bytes that the zip's directory says`);
    crc = crc32(bytes, crc);
    yield bytes;
  }
  if (size < data.size) throw damaged(data, `it holds ${size} bytes, the zip's directory says ${data.size}`);
  if (crc !== data.crc) throw damaged(data, "its checksum (CRC-32) is wrong");
}

function damaged(data: EntryData, why: string): Fault {
  return new Fault("unreadable", `the part ${data.name} is damaged: ${why}`, { field: "part", value: data.name });
}

async function* stored(source: Source, data: EntryData, onRaw: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for (let at = data.from; at < data.to;) {
    const bytes = await source.read(at, Math.min(at + READ_BYTES, data.to));
    if (bytes.length === 0) throw damaged(data, "the file ends within it");
    at += bytes.length;
    onRaw(at - data.from);
    yield bytes;
  }
}

async function* inflated(source: Source, data: EntryData, onRaw: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: OUT_BYTES });
  const input = Readable.from(
    stored(source, data, () => {}),
    { objectMode: false, highWaterMark: 1 },
  );
  input.on("error", (error) => inflate.destroy(error));
  input.pipe(inflate);
  try {
    for await (const bytes of inflate as AsyncIterable<Buffer>) {
      onRaw(inflate.bytesWritten);
      yield bytes;
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && String(error.code).startsWith("Z_"))) throw error;
    throw damaged(data, error.message === "unexpected end of file" ? "its data is cut off" : error.message);
  } finally {
    input.destroy();
    inflate.destroy();
  }
}
