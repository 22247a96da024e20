import { type ColumnType, isNumeric, NO_NUMBERS, type NumericFacts } from "../domain/table-schema.ts";
import { type ColumnData, isValid } from "./column-data.ts";

/** Digits that no decimal has: a column with infinities, or with numbers this large, can only be one of doubles. */
const BEYOND_DECIMALS = 309;
/** Below this, and above its negative, the high half of 64 bits leaves a whole number within 53 bits. */
const HIGH_OF_2_53 = 2 ** 21;

/** What the values of a column that came typed need, batch by batch; `observe` does the same for cells of text. */
export class NumbersSeen {
  readonly #type: ColumnType;
  #integerDigits = NO_NUMBERS.integerDigits;
  #scale = NO_NUMBERS.scale;
  #doubleExact = NO_NUMBERS.doubleExact;

  constructor(type: ColumnType) {
    this.#type = type;
  }

  get facts(): NumericFacts {
    return { integerDigits: this.#integerDigits, scale: this.#scale, doubleExact: this.#doubleExact };
  }

  add(data: ColumnData): void {
    if (data.nulls === data.rows || !isNumeric(this.#type)) return;
    if (data.form === "words") this.#addWords(data);
    else if (data.form === "doubles") this.#addDoubles(data);
    else if (data.form === "pairs") this.#addPairs(data);
  }

  /** In halves of 32 bits: a BigInt for every value would cost ten times as much. */
  #addWords(data: ColumnData & { form: "words" }): void {
    const halves = new Int32Array(data.values.buffer, data.values.byteOffset, data.rows * 2);
    let most = 0;
    for (let row = 0; row < data.rows; row++) {
      if (data.validity !== null && !isValid(data, row)) continue;
      const high = halves[row * 2 + 1] ?? 0;
      if (high >= HIGH_OF_2_53 || high < -HIGH_OF_2_53) this.#addBig(data.values[row] ?? 0n);
      else most = Math.max(most, Math.abs(high * 2 ** 32 + ((halves[row * 2] ?? 0) >>> 0)));
    }
    this.#widenTo(String(most).length);
  }

  #addBig(value: bigint): void {
    this.#widenTo(String(value < 0n ? -value : value).length);
    if (this.#doubleExact && BigInt(Number(value)) !== value) this.#doubleExact = false;
  }

  #addDoubles(data: ColumnData & { form: "doubles" }): void {
    let most = 0;
    for (let row = 0; row < data.rows; row++) {
      if (data.validity !== null && !isValid(data, row)) continue;
      const size = Math.abs(data.values[row] ?? 0);
      if (!(size < 1e38)) {
        this.#widenTo(BEYOND_DECIMALS);
        return; // no decimal holds them, so the digits after the point no longer matter
      }
      if (size > most) most = size;
      if (!Number.isInteger(size)) this.#addFraction(size);
    }
    this.#widenTo(String(BigInt(Math.floor(most))).length);
  }

  /**
   * Digits after the point in the shortest text that reads back as the same double. Those have 17 significant digits at
   * most, so a number large enough for the scale so far adds nothing; most others are told by rounding to it.
   */
  #addFraction(size: number): void {
    const unit = 10 ** this.#scale;
    if (size * unit >= 1e17 || (size * unit < 2 ** 53 && Math.round(size * unit) / unit === size)) return;
    const [digits = "", exponent = "0"] = String(size).split("e");
    const written = digits.includes(".") ? digits.length - digits.indexOf(".") - 1 : 0;
    this.#scale = Math.max(this.#scale, written - Number(exponent));
  }

  #addPairs(data: ColumnData & { form: "pairs" }): void {
    const scale = this.#type.kind === "decimal" ? this.#type.scale : 0;
    let most = 0n;
    for (let row = 0; row < data.rows; row++) {
      if (data.validity !== null && !isValid(data, row)) continue;
      const value = ((data.values[row * 2 + 1] ?? 0n) << 64n) | BigInt.asUintN(64, data.values[row * 2] ?? 0n);
      const size = value < 0n ? -value : value;
      if (size > most) most = size;
    }
    const digits = String(most).length;
    this.#scale = scale;
    this.#widenTo(Math.max(digits - scale, 0));
    if (digits > 15) this.#doubleExact = false;
  }

  #widenTo(digits: number): void {
    if (digits > this.#integerDigits) this.#integerDigits = digits;
  }
}
