import { isUtf8 } from "node:buffer";
import type { ColumnData } from "../../schema/column-data.ts";
import type { ByteStream } from "./byte-stream.ts";
import { type BatchTally, type ColumnReader, readInts, readOffsets } from "./column-reader.ts";
import { damaged } from "./damage.ts";
import { allPresent, type Presence, type PresentReader, validityOf } from "./presence.ts";
import type { RleInts } from "./rle-int.ts";

interface BytesStreams {
  readonly present: PresentReader;
  readonly lengths: RleInts;
  readonly data: ByteStream;
  /** Text must be UTF-8; binary may be anything. */
  readonly text: boolean;
}

/** Text and binary, one value behind the other. */
export function directColumn({ present, lengths, data, text }: BytesStreams, tally: BatchTally): ColumnReader {
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      tally.take(presence.rows * 4);
      const offsets = await readOffsets(lengths, presence, tally.tooLong);
      const total = offsets[presence.rows] ?? 0;
      tally.take(total);
      data.check(total);
      const values = new Uint8Array(total);
      await data.copy(values, 0, total);
      if (text) checkText(values, offsets, presence.rows);
      return { ...validityOf(presence), form: "bytes", offsets, values };
    },
  };
}

interface Dictionary {
  readonly offsets: Int32Array;
  readonly values: Uint8Array;
}

/** Text as indexes into a dictionary, which is read with the first values. */
export function dictionaryColumn(streams: BytesStreams & { ids: RleInts; size: number }, tally: BatchTally): ColumnReader {
  const { present, ids, size } = streams;
  let dictionary: Dictionary | null = null;
  return {
    async read(parent: Presence): Promise<ColumnData> {
      const presence = await present.read(parent);
      tally.take(presence.rows * 8);
      const halves = await readInts(ids, presence.count, presence.count);
      if (presence.count > 0) dictionary ??= await readDictionary(streams, size);
      const picked = pick(dictionary ?? EMPTY, halves, presence, tally);
      return { ...validityOf(presence), form: "bytes", ...picked };
    },
  };
}

const EMPTY: Dictionary = { offsets: new Int32Array(1), values: new Uint8Array(0) };

async function readDictionary({ lengths, data, text }: BytesStreams, size: number): Promise<Dictionary> {
  const { held } = data;
  held.add(size * 4);
  const tooLong = (total: number): never => {
    held.add(total);
    throw damaged(`a dictionary has ${total} bytes`);
  };
  const offsets = await readOffsets(lengths, allPresent(size), tooLong);
  const total = offsets[size] ?? 0;
  held.add(total);
  data.check(total);
  const values = new Uint8Array(total);
  await data.copy(values, 0, total);
  if (text) checkText(values, offsets, size);
  return { offsets, values };
}

function pick(dictionary: Dictionary, ids: Int32Array, { rows, count, bytes }: Presence, tally: BatchTally) {
  const { offsets: from } = dictionary;
  const size = from.length - 1;
  const offsets = new Int32Array(rows + 1);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const id = ids[i * 2] ?? 0;
    if (ids[i * 2 + 1] !== 0 || id < 0 || id >= size) throw damaged(`a value is none of its dictionary's ${size}`);
    total += (from[id + 1] ?? 0) - (from[id] ?? 0);
  }
  tally.take(total);
  const values = new Uint8Array(total);
  let at = 0;
  for (let row = 0, i = 0; row < rows; row++) {
    if (bytes === null || bytes[row] === 1) {
      const id = ids[i++ * 2] ?? 0;
      at = copyEntry(dictionary, id, values, at);
    }
    offsets[row + 1] = at;
  }
  return { offsets, values };
}

/** Entries are short: a loop beats a copy by the engine below some 32 bytes. */
function copyEntry({ offsets, values }: Dictionary, id: number, target: Uint8Array, at: number): number {
  const from = offsets[id] ?? 0;
  const to = offsets[id + 1] ?? 0;
  if (to - from > 32) target.set(values.subarray(from, to), at);
  else for (let i = from, o = at; i < to; i++, o++) target[o] = values[i] ?? 0;
  return at + to - from;
}

/** Throws unless every value is UTF-8 by itself. */
function checkText(values: Uint8Array, offsets: Int32Array, count: number): void {
  if (!isUtf8(values)) throw damaged("a text is no UTF-8");
  for (let i = 0; i < count; i++) {
    const start = offsets[i] ?? 0;
    // Whole, the values are UTF-8: one that is not by itself is cut inside a character, so the next one begins there.
    if (start < (offsets[i + 1] ?? 0) && ((values[start] ?? 0) & 0xc0) === 0x80) throw damaged("a text is no UTF-8");
  }
}
