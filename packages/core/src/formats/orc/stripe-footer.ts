import { beyond, damaged } from "./damage.ts";
import { ProtoReader } from "./protobuf.ts";

/** Kinds of stream that hold values; the others (indexes, bloom filters) only take room. */
export const STREAM = { present: 0, data: 1, length: 2, dictionaryData: 3, secondary: 5 } as const;
type StreamKind = (typeof STREAM)[keyof typeof STREAM];
const STREAM_KINDS: ReadonlySet<number> = new Set(Object.values(STREAM));

/** How a column's streams are encoded. Version 2 has RLE v2 for whole numbers. */
export interface Encoding {
  readonly dictionary: boolean;
  readonly version: 1 | 2;
  readonly dictionarySize: number;
}

export interface StreamSpan {
  /** In the file. */
  readonly from: number;
  readonly length: number;
}

export interface StripeFooter {
  readonly encodings: readonly Encoding[];
  /** IANA name of the zone in which the writer's timestamps without zone are; "" where it is not said. */
  readonly timezone: string;
  stream(column: number, kind: StreamKind): StreamSpan | null;
}

/** Parses a stripe's footer; its streams lie one after the other from `from` and must end by `to`. */
export function parseStripeFooter(bytes: Uint8Array, types: number, from: number, to: number): StripeFooter {
  const reader = new ProtoReader(bytes);
  const spans = new Map<number, StreamSpan>();
  const encodings: Encoding[] = [];
  const maxStreams = types * 16 + 16;
  let [at, streams, timezone] = [from, 0, ""];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      if (++streams > maxStreams) throw beyond("an ORC stripe has too many streams", "orcStreams", streams, maxStreams);
      const { kind, column, length } = parseStream(reader.message());
      if (length > to - at) throw damaged(`a stream of ${length} bytes at ${at} reaches beyond its stripe's end at ${to}`);
      const key = keyOf(column, kind);
      if (STREAM_KINDS.has(kind) && column < types && !spans.has(key)) spans.set(key, { from: at, length });
      at += length;
    } else if (field === 2) {
      if (encodings.length >= types) throw damaged(`a stripe footer has more encodings than the file's ${types} types`);
      encodings.push(parseEncoding(reader.message()));
    } else if (field === 3) timezone = reader.text();
    else reader.skip();
  }
  if (encodings.length !== types) throw damaged(`a stripe footer has ${encodings.length} encodings for ${types} types`);
  return { encodings, timezone, stream: (column, kind) => spans.get(keyOf(column, kind)) ?? null };
}

const keyOf = (column: number, kind: number) => column * 8 + kind;

function parseStream(reader: ProtoReader): { kind: number; column: number; length: number } {
  let [kind, column, length] = [0, 0, 0];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) kind = reader.uint();
    else if (field === 2) column = reader.uint();
    else if (field === 3) length = reader.uint();
    else reader.skip();
  }
  return { kind, column, length };
}

function parseEncoding(reader: ProtoReader): Encoding {
  let [kind, dictionarySize] = [0, 0];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) kind = reader.uint();
    else if (field === 2) dictionarySize = reader.uint();
    else reader.skip();
  }
  if (kind > 3) throw damaged(`column encoding ${kind} is none that ORC has`);
  return { dictionary: kind % 2 === 1, version: kind >= 2 ? 2 : 1, dictionarySize };
}
