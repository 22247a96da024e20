import { createHash } from "node:crypto";

/** A number from 0 to 1 that depends on the words alone. */
export function share(...words: readonly (string | number)[]): number {
  return createHash("sha256").update(JSON.stringify(words)).digest().readUInt32BE(0) / 2 ** 32;
}

/** Numbers from 0 to 1, the same again for the same seed. */
export function sequence(...seed: readonly (string | number)[]): () => number {
  let at = 0;
  return () => share(...seed, at++);
}
