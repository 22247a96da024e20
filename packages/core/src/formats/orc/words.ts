/**
 * Whole numbers of 64 bits as two 32-bit halves, low first, so that none needs a BigInt: number i of an Int32Array is at
 * 2i and 2i + 1, which over the same buffer is element i of a BigInt64Array.
 */

/** Undoes zigzag in place for `count` numbers from number `from`: 0, 1, 2, 3 become 0, -1, 1, -2. */
export function unzigzag(halves: Int32Array, from: number, count: number): void {
  for (let i = from * 2, end = (from + count) * 2; i < end; i += 2) {
    const low = halves[i] ?? 0;
    const high = halves[i + 1] ?? 0;
    const sign = -(low & 1);
    halves[i] = ((low >>> 1) | (high << 31)) ^ sign;
    halves[i + 1] = (high >>> 1) ^ sign;
  }
}

/** The number as a double: exact up to 2^53. */
export function wordAt(halves: Int32Array, i: number): number {
  return (halves[i * 2 + 1] ?? 0) * 2 ** 32 + ((halves[i * 2] ?? 0) >>> 0);
}

/** The same memory as 64-bit words. */
export function asWords(halves: Int32Array): BigInt64Array {
  return new BigInt64Array(halves.buffer, halves.byteOffset, halves.length >> 1);
}
