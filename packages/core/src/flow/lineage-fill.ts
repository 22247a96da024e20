import type { Scratch } from "../columns/scratch.ts";
import type { DirectBlock } from "../formats/direct.ts";
import { type LineageName, RESCUED } from "../schema/lineage.ts";
import { setWord } from "../schema/coerce-number.ts";

/** Room after a text, for copies that reach over its end. */
const PADDING = 8;

/** Values of the columns that say where a row came from. */
export class LineageFill {
  readonly #file: Uint8Array;
  readonly #fileLength: number;
  readonly #view: DataView;
  readonly #loadedAtMicros: number;

  constructor(file: string, loadedAtMs: number) {
    const bytes = Buffer.from(file);
    this.#file = new Uint8Array(bytes.length + PADDING);
    this.#file.set(bytes);
    this.#fileLength = bytes.length;
    this.#view = new DataView(this.#file.buffer);
    this.#loadedAtMicros = loadedAtMs * 1_000;
  }

  fill(name: LineageName, block: DirectBlock, out: Scratch): Scratch {
    const { rows } = block;
    out.begin(rows);
    out.count = rows;
    switch (name) {
      case "_row":
        out.codes.fill(-1, 0, rows);
        for (let row = 0; row < rows; row++) setWord(out.words, row, block.rowNumber(row));
        break;
      case "_loaded_at":
        out.codes.fill(0, 0, rows);
        for (let row = 0; row < rows; row++) setWord(out.words, row, this.#loadedAtMicros);
        break;
      case "_file_id":
        out.from.fill(0, 0, rows);
        out.to.fill(this.#fileLength, 0, rows);
        out.bytes = this.#file;
        out.view = this.#view;
        break;
      case RESCUED:
        throw new Error("rescued values are not filled in");
    }
    return out;
  }
}
