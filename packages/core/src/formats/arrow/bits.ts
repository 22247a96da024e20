/** Bitmaps as Arrow lays them out: bit i is bit i & 7 of byte i >> 3. */
export function bitAt(bits: Uint8Array, i: number): boolean {
  return ((bits[i >> 3] ?? 0) & (1 << (i & 7))) !== 0;
}

/** The bits [from, from + count) as a bitmap of their own, the rest of its last byte 0. */
export function sliceBits(bits: Uint8Array, from: number, count: number): Uint8Array {
  const bytes = (count + 7) >> 3;
  const out = new Uint8Array(bytes);
  const [first, shift] = [from >> 3, from & 7];
  if (shift === 0) out.set(bits.subarray(first, first + bytes));
  else {
    for (let i = 0; i < bytes; i++) out[i] = ((bits[first + i] ?? 0) >> shift) | ((bits[first + i + 1] ?? 0) << (8 - shift));
  }
  if ((count & 7) !== 0) out[bytes - 1] = (out[bytes - 1] ?? 0) & ((1 << (count & 7)) - 1);
  return out;
}

/** How many of the first `count` bits are 1. */
export function countOnes(bits: Uint8Array, count: number): number {
  let ones = 0;
  const whole = count >> 3;
  for (let i = 0; i < whole; i++) ones += ONES[bits[i] ?? 0] ?? 0;
  if ((count & 7) !== 0) ones += ONES[(bits[whole] ?? 0) & ((1 << (count & 7)) - 1)] ?? 0;
  return ones;
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) ones++;
  return ones;
});
