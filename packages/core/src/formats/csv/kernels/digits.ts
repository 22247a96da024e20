/** What no number of digits is. */
export const NO_DIGITS = -1;

/**
 * Four ASCII bytes as a little-endian word -> their digits' values, one a byte, in the same order; what is no digit leaves
 * a bit that `DIGIT_ERRORS` keeps (D. Lemire, "Quickly parsing eight digits", with half the width).
 */
const ZEROS = 0x30303030;
const CARRY = 0x06060606;
const ERRORS = 0xf0f0f0f0 | 0;

/** 1 to 4 digits at `at` as a number, or NO_DIGITS. Reads four bytes. */
export function upToFour(view: DataView, at: number, count: number): number {
  // The word's first bytes are the number's first digits: moved up, with zeros before them.
  const x = (view.getInt32(at, true) ^ ZEROS) << ((4 - count) << 3);
  if ((((x + CARRY) | x) & ERRORS) !== 0) return NO_DIGITS;
  const pairs = (Math.imul(x, 10) + (x >>> 8)) & 0x00ff00ff;
  return (Math.imul(pairs, 100) + (pairs >>> 16)) & 0xffff;
}

/** 1 to 8 digits at `at` as a number, or NO_DIGITS. Reads four bytes, or four and the last four. */
export function upToEight(view: DataView, at: number, count: number): number {
  if (count <= 4) return upToFour(view, at, count);
  const head = upToFour(view, at, count - 4);
  const tail = upToFour(view, at + count - 4, 4);
  return head < 0 || tail < 0 ? NO_DIGITS : Math.imul(head, 10_000) + tail;
}
