import { TextDecoder } from "node:util";
import { readU16, readU8, tooShort } from "./biff-records.ts";

/** Flags of a Unicode string ([MS-XLS] 2.5.293): two bytes a character, phonetic data behind it, formatting runs behind it. */
const WIDE = 1;
const PHONETIC = 4;
const RUNS = 8;

const LABELS: Readonly<Record<number, string>> = {
  866: "ibm866",
  874: "windows-874",
  932: "shift_jis",
  936: "gbk",
  949: "euc-kr",
  950: "big5",
  1200: "utf-16le",
  10_000: "macintosh",
  10_007: "x-mac-cyrillic",
  32_768: "macintosh",
  32_769: "windows-1252",
};

/** What turns a workbook's bytes into text, by the number of its code page; Western European for one that nobody knows. */
export function decoderOf(codePage: number): TextDecoder {
  const label = LABELS[codePage] ?? (codePage >= 1250 && codePage <= 1258 ? `windows-${codePage}` : "windows-1252");
  return new TextDecoder(label);
}

/** A text of characters of one or two bytes in a record, behind its length: `from` is at its flags in BIFF 8, at its text before. */
export function readText(data: Buffer, from: number, characters: number, decoder: TextDecoder | null): string {
  if (decoder !== null) return decoder.decode(within(data, from, characters));
  const flags = readU8(data, from);
  let at = from + 1;
  if (flags & RUNS) at += 2;
  if (flags & PHONETIC) at += 4;
  return flags & WIDE ? within(data, at, characters * 2).toString("utf16le") : within(data, at, characters).toString("latin1");
}

function within(data: Buffer, from: number, length: number): Buffer {
  if (from + length > data.length) throw tooShort();
  return data.subarray(from, from + length);
}

/**
 * Texts of BIFF 8 that run over as many records as they need, as the shared strings do ([MS-XLS] 2.4.265), from `at` in the
 * first. Where characters go on in the next record, it begins with a byte that says anew how wide they are.
 */
export class ContinuedTexts {
  readonly #parts: readonly Buffer[];
  #part = 0;
  #at: number;

  constructor(parts: readonly Buffer[], at: number) {
    this.#parts = parts;
    this.#at = at;
  }

  /** The next text, null behind the last one. */
  next(): string | null {
    this.#settle();
    if (this.#part >= this.#parts.length) return null;
    let left = this.#u16();
    const flags = this.#u8();
    const runs = flags & RUNS ? this.#u16() : 0;
    const phonetic = flags & PHONETIC ? this.#u16() + this.#u16() * 65_536 : 0;
    let wide = (flags & WIDE) !== 0;
    const pieces: string[] = [];
    while (left > 0) {
      if (this.#settle()) wide = (this.#u8() & WIDE) !== 0;
      const part = this.#parts[this.#part];
      if (part === undefined) throw tooShort();
      const size = wide ? 2 : 1;
      const count = Math.min(left, Math.floor((part.length - this.#at) / size));
      if (count === 0) throw tooShort();
      pieces.push(part.toString(wide ? "utf16le" : "latin1", this.#at, this.#at + count * size));
      this.#at += count * size;
      left -= count;
    }
    this.#skip(runs * 4 + phonetic);
    return pieces.join("");
  }

  /** Goes on to the next record at the end of one; true when it did. */
  #settle(): boolean {
    let moved = false;
    while (this.#part < this.#parts.length && this.#at >= (this.#parts[this.#part]?.length ?? 0)) {
      this.#part++;
      this.#at = 0;
      moved = true;
    }
    return moved;
  }

  #u8(): number {
    this.#settle();
    const part = this.#parts[this.#part];
    if (part === undefined) throw tooShort();
    return readU8(part, this.#at++);
  }

  #u16(): number {
    return this.#u8() + this.#u8() * 256;
  }

  #skip(bytes: number): void {
    for (let left = bytes; left > 0;) {
      this.#settle();
      const part = this.#parts[this.#part];
      if (part === undefined) throw tooShort();
      const step = Math.min(left, part.length - this.#at);
      this.#at += step;
      left -= step;
    }
  }
}

/** A text with its length of two bytes before it, whatever the version. */
export function readLongText(data: Buffer, at: number, decoder: TextDecoder | null): string {
  return readText(data, at + 2, readU16(data, at), decoder);
}

/** A text with its length of one byte before it. */
export function readShortText(data: Buffer, at: number, decoder: TextDecoder | null): string {
  return readText(data, at + 1, readU8(data, at), decoder);
}
