/**
 * Where a Zstandard frame ends, by RFC 8878: node:zlib stops at the end of the first one without a word.
 *
 * frame    magic 4 | descriptor 1 | window 0-1 | dictionary 0-4 | content size 0-8 | blocks | checksum 0 or 4
 * block    header 3, little-endian: bit 0 last, bits 1-2 type (raw, RLE, compressed, reserved), bits 3-23 size
 * skipped  magic 0x184D2A50 to 5F | size 4 | that many bytes
 */
export const ZSTD_MAGIC = 0xfd2fb528;
/** Bytes of the longest header. */
export const ZSTD_HEADER_BYTES = 18;
export const ZSTD_BLOCK_HEADER_BYTES = 3;

export interface ZstdHeader {
  readonly bytes: number;
  /** Memory that the frame asks for. */
  readonly windowBytes: number;
  readonly checksum: boolean;
}

/** The header at the start of `bytes`, which begin with the magic; null where they end within it. */
export function zstdHeader(bytes: Uint8Array): ZstdHeader | null {
  const descriptor = bytes[4];
  if (descriptor === undefined) return null;
  const single = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const windowAt = 5;
  const sizeAt = windowAt + (single ? 0 : 1) + dictionaryBytes;
  const length = sizeAt + sizeBytes;
  if (bytes.length < length) return null;
  const windowBytes = single ? contentSize(bytes, sizeAt, sizeBytes) : windowOf(bytes[windowAt] ?? 0);
  return { bytes: length, windowBytes, checksum: (descriptor & 4) !== 0 };
}

/** RFC 8878 3.1.1.1.2: an exponent and eighths of it. */
function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(bytes: Uint8Array, at: number, length: number): number {
  let size = 0;
  for (let i = length - 1; i >= 0; i--) size = size * 256 + (bytes[at + i] ?? 0);
  return length === 2 ? size + 256 : size;
}

export interface ZstdBlock {
  readonly last: boolean;
  /** Bytes after the header; an RLE block stores one, however many it stands for. */
  readonly bytes: number;
}

/** The block whose three header bytes begin at `at`; null for the reserved type. */
export function zstdBlock(bytes: Uint8Array, at: number): ZstdBlock | null {
  const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  const type = (word >> 1) & 3;
  if (type === 3) return null;
  return { last: (word & 1) === 1, bytes: type === 1 ? 1 : word >> 3 };
}
