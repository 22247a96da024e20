import { Fault } from "../../domain/fault.ts";
import type { Block } from "./blocks.ts";

/** A place in the file: its byte, how many lines end before it, and the byte at which its line begins. */
export interface TextPlace {
  readonly offset: number;
  readonly line: number;
  readonly lineStart: number;
}

export const FILE_START: TextPlace = { offset: 0, line: 0, lineStart: 0 };

/** Counts lines from block to block, so that a place can be told by its line and column. */
export class LineCounter {
  /** Lines that end before the block, and where the last of them ends. */
  #lines: number;
  #lineStart: number;

  constructor({ line, lineStart }: TextPlace) {
    this.#lines = line;
    this.#lineStart = lineStart;
  }

  /** The block was read up to `at`, where the next one begins. */
  pass(block: Block, at: number): void {
    const { line, lineStart } = this.placeOf(block, at);
    this.#lines = line;
    this.#lineStart = lineStart;
  }

  placeOf(block: Block, at: number): TextPlace {
    const last = at === 0 ? -1 : block.bytes.lastIndexOf(10, at - 1);
    const lineStart = last >= 0 ? block.offset + last + 1 : this.#lineStart;
    return { offset: block.offset + at, line: this.#lines + newlines(block.bytes, at), lineStart };
  }

  /** From 1. */
  lineAt(block: Block, at: number): number {
    return this.#lines + newlines(block.bytes, at) + 1;
  }

  unreadable(block: Block, at: number, problem: string): Fault {
    const { offset, line, lineStart } = this.placeOf(block, at);
    return new Fault("unreadable", `no readable JSON: line ${line + 1}, column ${offset - lineStart + 1} (byte ${offset}): ${problem}`, {
      field: "byte",
      value: offset,
    });
  }
}

function newlines(bytes: Buffer, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0 && at < to; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}
