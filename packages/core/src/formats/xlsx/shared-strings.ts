import { Fault } from "../../domain/fault.ts";
import type { FormatLimits } from "../format.ts";
import { NO_STRINGS, type StringTable } from "../sheet/cell-text.ts";
import { TextBuffer } from "../sheet/text-buffer.ts";
import type { ZipEntry } from "../zip-reader.ts";
import type { OfficePackage } from "./package.ts";
import { writeItem } from "./rich-text.ts";
import { isMark, markEnd, readTag, tag, tagIs, writeText } from "./xml-bytes.ts";
import { doctypeRefused } from "./xml-tags.ts";
import { xmlWindows } from "./xml-windows.ts";

const LT = 60;
const GT = 62;
const SLASH = 47;

/**
 * Reads the shared strings (ECMA-376 part 1, 18.4). They are asked for out of order, so they stay in memory: throws
 * `limit_exceeded` where they, with four bytes for each, are more than `heldBytes`.
 */
export async function readSharedStrings(
  zip: OfficePackage,
  part: ZipEntry | null,
  limits: Pick<FormatLimits, "recordBytes" | "heldBytes">,
): Promise<StringTable> {
  if (part === null) return NO_STRINGS;
  const table = new Items(limits.heldBytes);
  for await (const window of xmlWindows(zip.xml(part), limits.recordBytes, part.name)) {
    window.at = table.scan(window.bytes, window.at, window.to, part.name);
  }
  return table.finish(part.name);
}

class Items {
  readonly #text = new TextBuffer(64 * 1024);
  #offsets = new Uint32Array(4_096);
  #count = 0;
  #ended = false;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes whole items; returns where the first begins that is not whole. */
  scan(bytes: Uint8Array, from: number, to: number, part: string): number {
    for (let i = from; ;) {
      while (bytes[i] !== LT) i++;
      if (i >= to) return to;
      const plain = this.#plainItem(bytes, i, to);
      if (plain > 0) {
        i = plain;
        continue;
      }
      if (isMark(bytes, i)) {
        const end = markEnd(bytes, i, to);
        if (end < 0) return i;
        if (bytes[i + 1] === 33 && bytes[i + 2] !== 45) throw doctypeRefused(part);
        i = end;
        continue;
      }
      if (!readTag(bytes, i, to)) return i;
      let end = tag.end;
      if (tagIs(bytes, "sst") && (tag.closing || tag.empty)) this.#ended = true;
      if (tagIs(bytes, "si") && !tag.closing) {
        if (!tag.empty) end = writeItem(bytes, end, to, this.#text);
        if (end < 0) {
          this.#text.length = this.#offsets[this.#count] ?? 0;
          return i;
        }
        this.#add();
      }
      i = end;
    }
  }

  /** The usual `<si><t>…</t></si>`; returns where it ends, 0 for anything else. */
  #plainItem(bytes: Uint8Array, at: number, to: number): number {
    if (bytes[at + 1] !== 115 || bytes[at + 2] !== 105 || bytes[at + 3] !== GT) return 0;
    if (bytes[at + 4] !== LT || bytes[at + 5] !== 116) return 0;
    let i = at + 6;
    if (bytes[i] === 32) while (bytes[i] !== GT) i++;
    if (bytes[i] !== GT || bytes[i - 1] === SLASH) return 0;
    const from = ++i;
    while (bytes[i] !== LT) i++;
    if (bytes[i + 1] !== SLASH || bytes[i + 2] !== 116 || bytes[i + 3] !== GT) return 0;
    if (bytes[i + 4] !== LT || bytes[i + 5] !== SLASH || bytes[i + 6] !== 115 || bytes[i + 7] !== 105 || bytes[i + 8] !== GT) return 0;
    if (i + 9 > to) return 0;
    writeText(bytes, from, i, this.#text);
    this.#add();
    return i + 9;
  }

  finish(part: string): StringTable {
    if (!this.#ended) throw new Fault("unreadable", `the part ${part} ends before its last string`, { field: "part", value: part });
    return { count: this.#count, bytes: this.#text.bytes, offsets: this.#offsets };
  }

  #add(): void {
    this.#count++;
    if (this.#count === this.#offsets.length) {
      const offsets = new Uint32Array(this.#count * 2);
      offsets.set(this.#offsets);
      this.#offsets = offsets;
    }
    this.#offsets[this.#count] = this.#text.length;
    const bytes = this.#text.length + this.#count * 4;
    if (bytes <= this.#most) return;
    throw new Fault(
      "limit_exceeded",
      `the workbook's shared strings take more than ${this.#most} bytes (limit heldBytes): save it as csv`,
      {
        field: "heldBytes",
        value: bytes,
        limit: this.#most,
      },
    );
  }
}
