import { Fault } from "../domain/fault.ts";
import type { FormatLimits } from "./format.ts";

/** A ratio means nothing for small files: 64 KiB of blanks compress a thousandfold. */
export const RATIO_FROM_BYTES = 64 * 2 ** 20;

/**
 * How many bytes may come out of a file, and how many for each raw one, counted over all its parts: the members of a zip
 * together are one file. Reading a part again costs nothing more.
 */
export class DecodeBudget {
  readonly #limits: Pick<FormatLimits, "decodedBytes" | "ratio">;
  readonly #parts = new Map<object, { decoded: number; raw: number }>();
  #decoded = 0;
  #raw = 0;

  constructor(limits: Pick<FormatLimits, "decodedBytes" | "ratio">) {
    this.#limits = limits;
  }

  /** `part` has given `decoded` bytes so far, of `raw`. Throws `limit_exceeded` naming decodedBytes or ratio. */
  spend(part: object, decoded: number, raw: number): void {
    const before = this.#parts.get(part);
    if (before === undefined) {
      this.#parts.set(part, { decoded, raw });
      this.#decoded += decoded;
      this.#raw += raw;
    } else if (decoded > before.decoded) {
      this.#decoded += decoded - before.decoded;
      this.#raw += Math.max(raw - before.raw, 0);
      before.decoded = decoded;
      before.raw = Math.max(raw, before.raw);
    } else return;
    checkBytes(this.#decoded, this.#limits.decodedBytes);
    const { ratio } = this.#limits;
    if (this.#decoded < RATIO_FROM_BYTES || this.#decoded <= this.#raw * ratio) return;
    throw new Fault(
      "limit_exceeded",
      `${this.#raw} compressed bytes became ${this.#decoded}, more than ${ratio} times as many (limit ratio)`,
      { field: "ratio", value: Math.round(this.#decoded / Math.max(this.#raw, 1)), limit: ratio },
    );
  }
}

/** Throws `limit_exceeded` when a file claims or turns out to be more than may be decoded. */
export function checkBytes(decoded: number, limit: number): void {
  if (decoded <= limit) return;
  throw new Fault("limit_exceeded", `more than ${limit} bytes after decompression (limit decodedBytes)`, {
    field: "decodedBytes",
    value: decoded,
    limit,
  });
}
