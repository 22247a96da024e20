import { Fault } from "../../domain/fault.ts";
import type { FormatInput } from "../format.ts";

const RATIO_FROM_BYTES = 64 * 2 ** 20;

/**
 * What becomes of a sheet's cells: a text that is shared stands for itself in every cell that names it, and a wide header for
 * a null in each row below, so a few bytes can stand for very many. Counts them, a byte for each cell, as decoded bytes are.
 */
export class Unfolded {
  readonly #input: Pick<FormatInput, "limits" | "rawSize">;
  #bytes = 0;

  constructor(input: Pick<FormatInput, "limits" | "rawSize">) {
    this.#input = input;
  }

  /** Throws `limit_exceeded`. */
  add(bytes: number): void {
    this.#bytes += bytes;
    const { limits, rawSize } = this.#input;
    if (this.#bytes < RATIO_FROM_BYTES || this.#bytes <= rawSize * limits.ratio) return;
    throw new Fault(
      "limit_exceeded",
      `the cells of a workbook of ${rawSize} bytes stand for more than ${limits.ratio} times as many (limit ratio; SLUICE_MAX_RATIO raises it)`,
      { field: "ratio", value: Math.round(this.#bytes / Math.max(rawSize, 1)), limit: limits.ratio },
    );
  }
}
