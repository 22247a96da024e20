const MAX_KEY_BYTES = 1_024;

/**
 * Refuses a key that no store can hold or that could leave the store's folder. Keys come from `domain/keys.ts`, so such
 * a key is a bug and no answer to a request: a plain Error. 1,024 bytes is S3's own limit.
 */
export function checkKey(key: string): void {
  const wrong = wrongKey(key);
  if (wrong !== null) throw new Error(`object key ${JSON.stringify(key.slice(0, 200))} ${wrong}`);
}

function wrongKey(key: string): string | null {
  if (key === "") return "is empty";
  if (key.includes("\0")) return "holds NUL";
  if (!key.isWellFormed()) return "holds a lone surrogate";
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes`;
  for (const segment of key.split("/")) {
    if (segment === "") return "starts or ends with a slash or holds an empty segment";
    if (segment === "." || segment === "..") return "holds a dot segment";
  }
  return null;
}

/** A range's bounds must be whole, non-negative and in order; anything else is a caller's bug. */
export function checkRange(range: { readonly start: number; readonly end?: number } | undefined): void {
  if (range === undefined) return;
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || start < 0) throw new RangeError(`range start ${start}`);
  if (end !== undefined && (!Number.isSafeInteger(end) || end < start)) throw new RangeError(`range ${start} to ${end}`);
}
