/** S3's limit of parts in one upload. */
export const MAX_PARTS = 10_000;
const PARTS_A_STEP = 2_000;
const MIB = 1 << 20;

/**
 * The size of part `index` (from 0). With a size hint all parts are equal (Cloudflare R2 takes no others) and at most
 * 10,000. Without one they start at `partBytes` and double every 2,000 parts: from 8 MiB that holds 484 GiB.
 */
export function partBytesAt(index: number, partBytes: number, expected: number | undefined): number {
  if (expected === undefined) return partBytes * 2 ** Math.floor(index / PARTS_A_STEP);
  return Math.max(partBytes, Math.ceil(expected / MAX_PARTS / MIB) * MIB);
}

/** The ranges (end exclusive) that cut `bytes` into parts of `partBytes`, more where 10,000 would not do. */
export function copyRanges(bytes: number, partBytes: number): { readonly start: number; readonly end: number }[] {
  const size = Math.max(partBytes, Math.ceil(bytes / MAX_PARTS));
  return Array.from({ length: Math.ceil(bytes / size) }, (_, at) => ({ start: at * size, end: Math.min((at + 1) * size, bytes) }));
}
