import type { FileOptions } from "../../domain/options.ts";
import { nullTexts } from "../../schema/null-texts.ts";
import { CELL, type CellBlock } from "./cell-block.ts";
import { cellText, type StringTable } from "./cell-text.ts";

/** Cells that an option takes for null: those whose text is in its list, numbers too. */
export class NullCells {
  readonly #texts: ReadonlySet<string>;
  readonly #strings: StringTable;

  private constructor(texts: ReadonlySet<string>, strings: StringTable) {
    this.#texts = texts;
    this.#strings = strings;
  }

  /** Null where the options name none. */
  static of(options: FileOptions, strings: StringTable): NullCells | null {
    const texts = nullTexts(options);
    return texts === null ? null : new NullCells(texts, strings);
  }

  /** Makes such cells of a row cells without a value. May be repeated. */
  mark(block: CellBlock, row: number): void {
    for (let at = block.rowStart(row); at < (block.rowEnds[row] ?? 0); at++) {
      const text = cellText(block, at, this.#strings);
      if (text !== null && this.#texts.has(text)) block.kinds[at] = CELL.none;
    }
  }
}
