import { Fault } from "../../domain/fault.ts";

const HEADER_BYTES = 512;
const ENTRY_BYTES = 128;
const END_OF_CHAIN = 0xfffffffe;
const LAST_SECTOR = 0xfffffff9;
const STREAM = 2;
const ROOT = 5;

export const OLE2_MAGIC = Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1);

interface Stream {
  readonly name: string;
  readonly type: number;
  readonly start: number;
  readonly size: number;
}

/**
 * A compound file (OLE2, [MS-CFB]) that lies in memory: streams by name. Chains of sectors are followed no further than the
 * file has sectors, so that one which runs in a circle ends. Every method throws `unreadable` for a damaged file.
 */
export class CompoundFile {
  readonly #file: Buffer;
  readonly #sectorBytes: number;
  readonly #fat: Uint32Array;
  readonly #streams: readonly Stream[];
  readonly #miniCutoff: number;

  constructor(bytes: Uint8Array) {
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (file.length < HEADER_BYTES) throw damaged(`it has ${file.length} bytes, its header alone takes ${HEADER_BYTES}`);
    const shift = file.readUInt16LE(30);
    if (shift !== 9 && shift !== 12) throw damaged(`its sectors are of 2^${shift} bytes`);
    this.#file = file;
    this.#sectorBytes = 1 << shift;
    this.#miniCutoff = file.readUInt32LE(56);
    this.#fat = this.#readFat();
    this.#streams = this.#readDirectory(file.readUInt32LE(48));
  }

  /** The names of its streams. */
  get names(): string[] {
    return this.#streams.filter(({ type }) => type === STREAM).map(({ name }) => name);
  }

  /** A stream's bytes by its name, letters of any case; null where there is none. */
  read(name: string): Uint8Array | null {
    const stream = this.#streams.find((each) => each.type === STREAM && each.name.toLowerCase() === name.toLowerCase());
    if (stream === undefined) return null;
    if (stream.size >= this.#miniCutoff) return this.#chain(stream.start, stream.size);
    return this.#miniChain(stream);
  }

  get #sectors(): number {
    return Math.ceil(Math.max(this.#file.length - this.#sectorBytes, 0) / this.#sectorBytes);
  }

  #sector(index: number): Buffer {
    if (index >= this.#sectors) throw damaged(`it names sector ${index} and has ${this.#sectors}`);
    const from = (index + 1) * this.#sectorBytes;
    return this.#file.subarray(from, from + this.#sectorBytes);
  }

  /** The sectors of the allocation table: 109 are named in the header, more in a chain of their own. */
  #readFat(): Uint32Array {
    const named: number[] = [];
    for (let at = 76; at < HEADER_BYTES; at += 4) named.push(this.#file.readUInt32LE(at));
    const perSector = this.#sectorBytes / 4 - 1;
    let next = this.#file.readUInt32LE(68);
    for (let seen = 0; next <= LAST_SECTOR && seen < this.#sectors; seen++) {
      const sector = this.#sector(next);
      for (let i = 0; i < perSector && i * 4 + 4 <= sector.length; i++) named.push(sector.readUInt32LE(i * 4));
      next = sector.length === this.#sectorBytes ? sector.readUInt32LE(perSector * 4) : END_OF_CHAIN;
    }
    const used = named.filter((sector) => sector <= LAST_SECTOR).slice(0, this.#sectors);
    const fat = new Uint32Array(used.length * (perSector + 1)).fill(END_OF_CHAIN);
    used.forEach((index, i) => {
      const sector = this.#sector(index);
      for (let at = 0; at + 4 <= sector.length; at += 4) fat[i * (perSector + 1) + at / 4] = sector.readUInt32LE(at);
    });
    return fat;
  }

  #readDirectory(start: number): Stream[] {
    const bytes = this.#chain(start, Number.POSITIVE_INFINITY);
    const streams: Stream[] = [];
    for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
      const entry = bytes.subarray(at, at + ENTRY_BYTES);
      const name = entry.subarray(0, Math.min(Math.max(entry.readUInt16LE(64) - 2, 0), 62)).toString("utf16le");
      streams.push({ name, type: entry.readUInt8(66), start: entry.readUInt32LE(116), size: entry.readUInt32LE(120) });
    }
    return streams;
  }

  /** At most `size` bytes of a chain; a file cut within its last sector still has what is there. */
  #chain(start: number, size: number): Buffer {
    const parts: Buffer[] = [];
    let length = 0;
    let next = start;
    for (let seen = 0; length < size && next <= LAST_SECTOR; seen++) {
      if (seen > this.#sectors) throw damaged("a chain of its sectors runs in a circle");
      const sector = this.#sector(next);
      parts.push(sector);
      length += sector.length;
      next = this.#fat[next] ?? END_OF_CHAIN;
    }
    if (size !== Number.POSITIVE_INFINITY && length < size) throw damaged(`a stream of ${size} bytes ends after ${length}`);
    return Buffer.concat(parts).subarray(0, Math.min(size, length));
  }

  #miniChain(stream: Stream): Buffer {
    const root = this.#streams.find(({ type }) => type === ROOT);
    if (root === undefined) throw damaged("it has no root");
    const shift = this.#file.readUInt16LE(32);
    if (shift > 12) throw damaged(`its small sectors are of 2^${shift} bytes`);
    const bytes = 1 << shift;
    const container = this.#chain(root.start, root.size);
    const table = this.#chain(this.#file.readUInt32LE(60), Number.POSITIVE_INFINITY);
    const parts: Buffer[] = [];
    let next = stream.start;
    for (let left = stream.size; left > 0; left -= bytes) {
      const sector = container.subarray(next * bytes, next * bytes + Math.min(bytes, left));
      if (sector.length === 0) throw damaged(`a stream of ${stream.size} bytes ends ${left} bytes too early`);
      parts.push(sector);
      next = next * 4 + 4 <= table.length ? table.readUInt32LE(next * 4) : END_OF_CHAIN;
    }
    return Buffer.concat(parts);
  }
}

function damaged(why: string): Fault {
  return new Fault("unreadable", `the OLE2 document is damaged: ${why}`);
}
