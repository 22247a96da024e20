/** Parts of an ORC file for tests that need one which no writer at hand makes: everything is written as it is said, right or wrong. */
export interface OrcParts {
  readonly types: readonly TypePart[];
  readonly stripes: readonly StripePart[];
  /** What the footer says; the sum of the stripes' where it is left out. */
  readonly rows?: number;
  /** How often the footer lists each stripe: 1 where it is left out. */
  readonly stripeTimes?: number;
  readonly calendar?: number;
  readonly version?: readonly [number, number];
  /** Other than 0: footers are stored as they are, in chunks; streams must be given in chunks. */
  readonly compression?: number;
  readonly blockSize?: number;
}

export interface TypePart {
  readonly kind: number;
  readonly subtypes?: readonly number[];
  readonly names?: readonly string[];
  readonly precision?: number;
  readonly scale?: number;
}

export interface StripePart {
  readonly rows: number;
  readonly streams: readonly { readonly column: number; readonly kind: number; readonly bytes: readonly number[] | Uint8Array }[];
  /** By type: encoding and size of the dictionary. */
  readonly encodings: readonly (readonly [number, number?])[];
  readonly timezone?: string;
}

/** Numbers of type kinds. */
export const KIND = {
  tinyint: 1,
  int: 3,
  bigint: 4,
  string: 7,
  timestamp: 9,
  list: 10,
  map: 11,
  struct: 12,
  union: 13,
  decimal: 14,
  date: 15,
};
/** Numbers of stream kinds. */
export const IN = { present: 0, data: 1, length: 2, dictionary: 3, secondary: 5 };

export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** A signed number as its zigzag varint. */
export function zigzag(value: number | bigint): number[] {
  const number = BigInt(value);
  return varint(number < 0n ? -2n * number - 1n : 2n * number);
}

/** Whole numbers as literals of RLE version 1. */
export function literals(values: readonly (number | bigint)[], signed = true): number[] {
  return values.flatMap((value) => [255, ...(signed ? zigzag(value) : varint(value))]);
}

/** Bytes as literals of byte RLE. */
export function literalBytes(values: readonly number[]): number[] {
  return values.flatMap((value) => [255, value & 255]);
}

/** Bits of a present stream, one byte for eight rows. */
export function bits(flags: readonly boolean[]): number[] {
  const bytes = Array.from({ length: Math.ceil(flags.length / 8) }, (_, i) =>
    flags.slice(i * 8, i * 8 + 8).reduce((byte, flag, bit) => byte | (flag ? 128 >> bit : 0), 0),
  );
  return literalBytes(bytes);
}

/** A chunk of a compressed stream behind its header; `stored` as it is. */
export function chunk(bytes: readonly number[] | Uint8Array, stored = false): number[] {
  const header = bytes.length * 2 + (stored ? 1 : 0);
  return [header & 255, (header >> 8) & 255, header >> 16, ...bytes];
}

export function orcBytes(parts: OrcParts): Uint8Array {
  const chunks: number[][] = [[...Buffer.from("ORC")]];
  const wrap = (bytes: number[]) => (parts.compression ? chunk(bytes, true) : bytes);
  let at = 3;
  const infos = parts.stripes.map((stripe) => {
    const offset = at;
    const data = stripe.streams.flatMap(({ bytes }) => [...bytes]);
    const footer = wrap([
      ...stripe.streams.flatMap(({ kind, column, bytes }) => message(1, [...uint(1, kind), ...uint(2, column), ...uint(3, bytes.length)])),
      ...stripe.encodings.flatMap(([kind, size]) => message(2, [...uint(1, kind), ...(size === undefined ? [] : uint(2, size))])),
      ...(stripe.timezone === undefined ? [] : message(3, [...Buffer.from(stripe.timezone)])),
    ]);
    chunks.push(data, footer);
    at += data.length + footer.length;
    return message(3, [...uint(1, offset), ...uint(2, 0), ...uint(3, data.length), ...uint(4, footer.length), ...uint(5, stripe.rows)]);
  });
  const footer = wrap([
    ...infos.flatMap((info) =>
      Array<number[]>(parts.stripeTimes ?? 1)
        .fill(info)
        .flat(),
    ),
    ...parts.types.flatMap((type) => message(4, typeBytes(type))),
    ...uint(6, parts.rows ?? parts.stripes.reduce((sum, { rows }) => sum + rows, 0) * (parts.stripeTimes ?? 1)),
    ...(parts.calendar === undefined ? [] : uint(11, parts.calendar)),
  ]);
  const [major, minor] = parts.version ?? [0, 12];
  const postscript = [
    ...uint(1, footer.length),
    ...uint(2, parts.compression ?? 0),
    ...uint(3, parts.blockSize ?? 65_536),
    ...uint(4, major),
    ...uint(4, minor),
    ...message(8000, [...Buffer.from("ORC")]),
  ];
  return Uint8Array.from([...chunks.flat(), ...footer, ...postscript, postscript.length]);
}

function typeBytes({ kind, subtypes = [], names = [], precision, scale }: TypePart): number[] {
  return [
    ...uint(1, kind),
    ...subtypes.flatMap((id) => uint(2, id)),
    ...names.flatMap((name) => message(3, [...Buffer.from(name)])),
    ...(precision === undefined ? [] : uint(5, precision)),
    ...(scale === undefined ? [] : uint(6, scale)),
  ];
}

function uint(field: number, value: number): number[] {
  return [...varint(field * 8), ...varint(value)];
}

function message(field: number, bytes: readonly number[]): number[] {
  return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
}
