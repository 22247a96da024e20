import { crc32, deflateRawSync } from "node:zlib";

/** What a zip made for a test does differently. */
export interface ZipQuirks {
  /** Store instead of deflate. */
  readonly stored?: boolean;
  /** Sizes and checksum behind the data, zeros before it (APPNOTE 4.3.9). */
  readonly descriptors?: boolean;
  /** 64-bit sizes and offsets (APPNOTE 4.5.3). */
  readonly zip64?: boolean;
  /** Deflated data in place of a member's own, with what the directory says of it. */
  readonly packed?: Readonly<Record<string, { readonly data: Uint8Array; readonly size: number; readonly crc: number }>>;
}

/** A zip of the members in order. Every field that tells time is zero, so that equal members make equal bytes. */
export function zipOf(members: Readonly<Record<string, string | Uint8Array>>, quirks: ZipQuirks = {}): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(members)) {
    const bytes = Buffer.from(content as string);
    const given = quirks.packed?.[name];
    const data = given?.data ?? (quirks.stored ? bytes : deflateRawSync(bytes));
    const size = given?.size ?? bytes.length;
    const entry = {
      name: Buffer.from(name),
      method: quirks.stored ? 0 : 8,
      crc: given?.crc ?? crc32(bytes),
      packed: data.length,
      size,
      at,
    };
    const local = localHeader(entry, quirks);
    const behind = quirks.descriptors ? descriptor(entry) : Buffer.alloc(0);
    locals.push(local, Buffer.from(data), behind);
    directory.push(centralHeader(entry, quirks));
    at += local.length + data.length + behind.length;
  }
  return Buffer.concat([...locals, ...directory, end(directory, at, quirks)]);
}

interface Entry {
  readonly name: Buffer;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly at: number;
}

function fields(...parts: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Buffer {
  return Buffer.concat(
    parts.map(([bytes, value]) => {
      const out = Buffer.alloc(bytes);
      if (bytes === 8) out.writeBigUInt64LE(BigInt(value));
      else out.writeUIntLE(value, 0, bytes);
      return out;
    }),
  );
}

const FULL = 0xffffffff;

function localHeader({ name, method, crc, packed, size }: Entry, { descriptors = false }: ZipQuirks): Buffer {
  const [c, p, s] = descriptors ? [0, 0, 0] : [crc, packed, size];
  const flags = 0x800 | (descriptors ? 8 : 0);
  return Buffer.concat([
    fields([4, 0x04034b50], [2, 20], [2, flags], [2, method], [4, 0x21 << 16], [4, c], [4, p], [4, s], [2, name.length], [2, 0]),
    name,
  ]);
}

function descriptor({ crc, packed, size }: Entry): Buffer {
  return fields([4, 0x08074b50], [4, crc], [4, packed], [4, size]);
}

function centralHeader({ name, method, crc, packed, size, at }: Entry, { descriptors = false, zip64 = false }: ZipQuirks): Buffer {
  const extra = zip64 ? fields([2, 1], [2, 24], [8, size], [8, packed], [8, at]) : Buffer.alloc(0);
  const [p, s, a] = zip64 ? [FULL, FULL, FULL] : [packed, size, at];
  const flags = 0x800 | (descriptors ? 8 : 0);
  return Buffer.concat([
    fields([4, 0x02014b50], [2, 45], [2, 45], [2, flags], [2, method], [4, 0x21 << 16], [4, crc], [4, p], [4, s]),
    fields([2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, a]),
    name,
    extra,
  ]);
}

function end(directory: readonly Buffer[], at: number, { zip64 = false }: ZipQuirks): Buffer {
  const size = directory.reduce((bytes, header) => bytes + header.length, 0);
  const count = directory.length;
  if (!zip64) return fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, at], [2, 0]);
  return Buffer.concat([
    fields([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, size], [8, at]),
    fields([4, 0x07064b50], [4, 0], [8, at + size], [4, 1]),
    fields([4, 0x06054b50], [2, 0], [2, 0], [2, 0xffff], [2, 0xffff], [4, FULL], [4, FULL], [2, 0]),
  ]);
}
