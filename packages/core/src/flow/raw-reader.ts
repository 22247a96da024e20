import type { ObjectStore } from "../ports/object-store.ts";

const WHOLE_BYTES = 1 << 20;

/** Random access to a raw object; reads in sequence share one stream. */
export interface RawReader extends AsyncDisposable {
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Opens nothing yet. Reads may be asked for at once; they are served one after the other. */
export function rawReader(objects: ObjectStore, key: string, size: number): RawReader {
  const source = size <= WHOLE_BYTES ? wholeObject(objects, key) : sequence(objects, key);
  let last: Promise<unknown> = Promise.resolve();
  return {
    read: (offset, length) => {
      const end = Math.min(size, offset + length);
      const next = last.then(() => (end <= offset ? new Uint8Array() : source.read(offset, end)));
      last = next.catch(() => undefined);
      return next;
    },
    [Symbol.asyncDispose]: async () => {
      await last;
      await source.close();
    },
  };
}

interface Source {
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A small object is read once: most conversions read it twice. */
function wholeObject(objects: ObjectStore, key: string): Source {
  let bytes: Uint8Array | undefined;
  return {
    read: async (start, end) => {
      bytes ??= await collect(await objects.get(key));
      return bytes.subarray(start, end);
    },
    close: () => Promise.resolve(),
  };
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** One open stream; a read that does not begin where the last one ended opens another. */
function sequence(objects: ObjectStore, key: string): Source {
  let stream: AsyncIterator<Uint8Array> | null = null;
  let position = 0;
  let rest: Uint8Array = new Uint8Array();
  const close = async () => {
    const old = stream;
    stream = null;
    rest = new Uint8Array();
    await old?.return?.();
  };
  return {
    close,
    read: async (start, end) => {
      if (stream === null || start !== position) {
        await close();
        stream = (await objects.get(key, { start }))[Symbol.asyncIterator]();
        position = start;
      }
      const out = new Uint8Array(end - start);
      let filled = 0;
      while (filled < out.length) {
        if (rest.length === 0) {
          const next = await stream.next();
          if (next.done === true) break;
          rest = next.value;
        }
        const take = Math.min(rest.length, out.length - filled);
        out.set(rest.subarray(0, take), filled);
        rest = rest.subarray(take);
        filled += take;
      }
      position += filled;
      return filled === out.length ? out : out.subarray(0, filled);
    },
  };
}
