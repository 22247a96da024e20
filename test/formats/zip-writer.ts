import { crc32, deflateRawSync } from "node:zlib";

/** One entry to write; what is not said is as a sound zip has it. */
export interface ZipPart {
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** 0 stored, 8 deflate; any other with `packed`. */
  readonly method?: number;
  /** The bytes as they stand in the zip. */
  readonly packed?: Uint8Array;
  /** Claims that are not true. */
  readonly bytes?: number;
  readonly crc?: number;
  readonly flags?: number;
  /** Sizes and checksum stand behind the data, and zeros in the local header. */
  readonly descriptor?: boolean;
  /** Sizes and offset stand in the zip64 extra field. */
  readonly zip64?: boolean;
  /** The offset of another entry's local header. */
  readonly sharesWith?: number;
}

/** A zip file (APPNOTE.TXT 4.3), with whatever is wrong with it that a test wants. */
export function zipOf(parts: readonly ZipPart[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let at = 0;
  for (const part of parts) {
    const content = Buffer.from(part.content ?? "");
    const method = part.method ?? 8;
    const packed = Buffer.from(part.packed ?? (method === 8 ? deflateRawSync(content) : content));
    const facts = { method, packed: packed.length, bytes: part.bytes ?? content.length, crc: part.crc ?? crc32(content) };
    const offset = part.sharesWith === undefined ? at : (offsets[part.sharesWith] ?? 0);
    offsets.push(offset);
    if (part.sharesWith === undefined) {
      const body = Buffer.concat([localHeader(part, facts), packed, part.descriptor === true ? descriptor(facts) : Buffer.alloc(0)]);
      bodies.push(body);
      at += body.length;
    }
    directory.push(directoryEntry(part, facts, offset));
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...bodies, listed, end]);
}

interface Facts {
  readonly method: number;
  readonly packed: number;
  readonly bytes: number;
  readonly crc: number;
}

const flagsOf = (part: ZipPart) => (part.flags ?? 0) | 0x800 | (part.descriptor === true ? 8 : 0);

function localHeader(part: ZipPart, facts: Facts): Buffer {
  const name = Buffer.from(part.name);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(flagsOf(part), 6);
  header.writeUInt16LE(facts.method, 8);
  if (part.descriptor !== true) {
    header.writeUInt32LE(facts.crc, 14);
    header.writeUInt32LE(facts.packed, 18);
    header.writeUInt32LE(Math.min(facts.bytes, 0xffffffff), 22);
  }
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name]);
}

function descriptor(facts: Facts): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(facts.crc, 4);
  bytes.writeUInt32LE(facts.packed, 8);
  bytes.writeUInt32LE(facts.bytes, 12);
  return bytes;
}

function directoryEntry(part: ZipPart, facts: Facts, offset: number): Buffer {
  const name = Buffer.from(part.name);
  const extra = part.zip64 === true ? zip64Extra(facts, offset) : Buffer.alloc(0);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(flagsOf(part), 8);
  header.writeUInt16LE(facts.method, 10);
  header.writeUInt32LE(facts.crc, 16);
  header.writeUInt32LE(part.zip64 === true ? 0xffffffff : facts.packed, 20);
  header.writeUInt32LE(part.zip64 === true ? 0xffffffff : facts.bytes, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(part.zip64 === true ? 0xffffffff : offset, 42);
  return Buffer.concat([header, name, extra]);
}

function zip64Extra(facts: Facts, offset: number): Buffer {
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  extra.writeBigUInt64LE(BigInt(facts.bytes), 4);
  extra.writeBigUInt64LE(BigInt(facts.packed), 12);
  extra.writeBigUInt64LE(BigInt(offset), 20);
  return extra;
}
