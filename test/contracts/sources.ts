/** Byte streams for the contract suites: repeatable, cut at will, failing or hanging on demand. */

export const Bytes = {
  /** `count` bytes that depend on the seed alone (xorshift32, a word at a time). */
  random(count: number, seed: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(count / 4));
    let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
    for (let at = 0; at < words.length; at++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[at] = state;
    }
    return new Uint8Array(words.buffer, 0, count);
  },
};

/** The bytes in chunks of these sizes, over and over. */
export async function* chunks(bytes: Uint8Array, ...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** The bytes, then the error. */
export async function* failing(bytes: Uint8Array, error: Error): AsyncGenerator<Uint8Array> {
  yield* chunks(bytes, 65_536);
  throw error;
}

/** The bytes, then nothing and no end, like a client that stopped sending. */
export interface Hanging extends AsyncIterable<Uint8Array> {
  /** Resolves when the reader waits for more. */
  readonly hangs: Promise<void>;
  started(): boolean;
  returned(): boolean;
}

export function hanging(bytes: Uint8Array): Hanging {
  const { promise: hangs, resolve: nowHangs } = Promise.withResolvers<void>();
  let started = false;
  let returned = false;
  const inner = chunks(bytes, 65_536);
  const iterator: AsyncIterator<Uint8Array> = {
    next: async () => {
      started = true;
      const step = await inner.next();
      if (step.done !== true) return step;
      nowHangs();
      return new Promise(() => undefined);
    },
    return: () => {
      returned = true;
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { hangs, started: () => started, returned: () => returned, [Symbol.asyncIterator]: () => iterator };
}

/** All of a stream in one piece. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all = await Array.fromAsync(source);
  return new Uint8Array(Buffer.concat(all));
}
