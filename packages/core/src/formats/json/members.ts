import { isUtf8 } from "node:buffer";
import { Fault } from "../../domain/fault.ts";
import type { DecodedChunk } from "../decompress.ts";
import type { FormatLimits } from "../format.ts";
import { firstInvalid } from "../utf8-text.ts";
import { type Block, Blocks } from "./blocks.ts";
import { FILE_START, LineCounter, type TextPlace } from "./lines.ts";
import { tooDeep } from "./records.ts";
import {
  BROKEN,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  DEEP,
  KIND,
  MORE,
  OPEN_ARRAY,
  OPEN_OBJECT,
  scan,
  scanKey,
  scanString,
  scanValue,
  skipSpace,
} from "./scan-value.ts";
import { textOf } from "./text.ts";

/** One member of the object that a document is. */
export interface Member {
  readonly name: string;
  readonly kind: number;
  /** Where its value begins and ends. */
  readonly from: TextPlace;
  to: number;
  /** Of an array or an object: how many values it holds, and of which kinds (bit k: one of kind k). */
  count: number;
  kinds: number;
}

/** The members of a document, by name; of two of one name the last counts. */
export interface Members {
  readonly list: readonly Member[];
  readonly duplicates: number;
}

/**
 * Reads a document that is one object from front to back and notes where its members stand, their values looked at one by
 * one, so that none but the longest of them must fit in memory. All of it is checked: what reads the members later finds no fault.
 * Throws `unreadable` with the place, `limit_exceeded` for too many members, long or deep values.
 */
export class MemberReader {
  readonly #limits: FormatLimits;
  readonly #lines = new LineCounter(FILE_START);
  readonly #byName = new Map<string, Member>();
  #duplicates = 0;
  #state: "open" | "first" | "key" | "behind" | "closed" = "open";
  /** The member whose values are read one by one, and where that stands. */
  #inside: Member | null = null;
  #within: "first" | "value" | "behind" = "first";

  constructor(limits: FormatLimits) {
    this.#limits = limits;
  }

  async read(chunks: AsyncIterable<DecodedChunk>): Promise<Members> {
    const blocks = new Blocks(chunks, this.#limits.recordBytes);
    for await (const block of blocks) {
      const at = this.#readBlock(block);
      this.#checkText(block, at);
      if (block.final) {
        if (this.#state !== "closed") throw this.#lines.unreadable(block, block.to, "it ends too early");
      } else {
        this.#lines.pass(block, at);
        blocks.keep(at);
      }
    }
    return { list: [...this.#byName.values()], duplicates: this.#duplicates };
  }

  #readBlock(block: Block): number {
    let at = block.from;
    for (;;) {
      at = skipSpace(block.bytes, at, block.to);
      if (at >= block.to) return at;
      const next = this.#inside === null ? this.#step(block, at) : this.#stepInside(block, at, this.#inside);
      if (next === DEEP) throw tooDeep(block.offset + scan.at, this.#limits.jsonDepth);
      if (next === BROKEN || (next === MORE && block.final)) throw this.#lines.unreadable(block, scan.at, scan.problem);
      if (next === MORE) return at;
      at = next;
    }
  }

  #step(block: Block, at: number): number {
    const c = block.bytes[at] ?? 0;
    switch (this.#state) {
      case "open":
        if (c !== OPEN_OBJECT) throw this.#lines.unreadable(block, at, "an object must begin here");
        this.#state = "first";
        return at + 1;
      case "first":
        if (c !== CLOSE_OBJECT) return this.#readMember(block, at);
        this.#state = "closed";
        return at + 1;
      case "key":
        return this.#readMember(block, at);
      case "behind":
        if (c !== CLOSE_OBJECT && c !== 44) throw this.#lines.unreadable(block, at, "a comma or } must follow");
        this.#state = c === 44 ? "key" : "closed";
        return at + 1;
      case "closed":
        throw this.#lines.unreadable(block, at, "something follows the object (option lines: one value a line)");
    }
  }

  #readMember(block: Block, at: number): number {
    const { bytes, to } = block;
    const from = scanKey(bytes, at, to);
    if (from < 0) return from;
    if (from >= to) return MORE;
    const c = bytes[from];
    const container = c === OPEN_OBJECT || c === OPEN_ARRAY;
    const end = container ? from + 1 : valueEnd(block, from);
    if (end < 0) return end;
    const kind = container ? (c === OPEN_OBJECT ? KIND.object : KIND.array) : scan.kind;
    const keyEnd = scanString(bytes, at, to);
    const name = textOf(bytes, at + 1, keyEnd - 1, scan.kind === KIND.escaped);
    const member = { name, kind, from: this.#lines.placeOf(block, from), to: block.offset + end, count: 0, kinds: 0 };
    if (this.#byName.has(name)) this.#duplicates++;
    this.#byName.set(name, member);
    if (this.#byName.size > this.#limits.columns) throw this.#tooMany();
    if (container) {
      this.#inside = member;
      this.#within = "first";
    }
    this.#state = "behind";
    return end;
  }

  #stepInside(block: Block, at: number, member: Member): number {
    const { bytes, to } = block;
    const c = bytes[at] ?? 0;
    const closer = member.kind === KIND.object ? CLOSE_OBJECT : CLOSE_ARRAY;
    if (c === closer && this.#within !== "value") {
      member.to = block.offset + at + 1;
      this.#inside = null;
      return at + 1;
    }
    if (this.#within === "behind") {
      if (c !== 44) throw this.#lines.unreadable(block, at, `a comma or ${String.fromCharCode(closer)} must follow`);
      this.#within = "value";
      return at + 1;
    }
    let from = at;
    if (member.kind === KIND.object) {
      from = scanKey(bytes, at, to);
      if (from < 0) return from;
      if (from >= to) return MORE;
    }
    const end = valueEnd(block, from);
    if (end < 0) return end;
    member.count++;
    member.kinds |= 1 << scan.kind;
    this.#within = "behind";
    return end;
  }

  #checkText(block: Block, to: number): void {
    const text = block.bytes.subarray(block.from, to);
    if (!isUtf8(text)) throw this.#lines.unreadable(block, block.from + firstInvalid(text), "no UTF-8");
  }

  #tooMany(): Fault {
    const limit = this.#limits.columns;
    return new Fault("limit_exceeded", `the object has more than ${limit} members (limit columns)`, { field: "columns", limit });
  }
}

/** As `scanValue`, but MORE for a number that may go on in the next block. */
function valueEnd(block: Block, from: number): number {
  const end = scanValue(block.bytes, from, block.to);
  return end === block.to && !block.final && (scan.kind === KIND.int || scan.kind === KIND.fraction) ? MORE : end;
}
