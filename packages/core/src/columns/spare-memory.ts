/** Bytes kept for the next file; fresh memory costs more than what is written to it. */
const KEPT_BYTES = 24 * 2 ** 20;
/** Smaller pieces are not worth keeping. */
const SMALLEST = 4_096;

/** Pieces by the exponent of their size. */
const spare: ArrayBuffer[][] = Array.from({ length: 32 }, () => []);
let kept = 0;

/** Memory of at least so many bytes, with anything in it. */
export function takeMemory(bytes: number): ArrayBuffer {
  const exponent = 32 - Math.clz32(Math.max(bytes, SMALLEST) - 1);
  const piece = spare[exponent]?.pop();
  if (piece === undefined) return new ArrayBuffer(2 ** exponent);
  kept -= piece.byteLength;
  return piece;
}

/** Gives back memory that was taken and that nobody looks at any more. */
export function giveMemory(piece: ArrayBuffer): void {
  const bytes = piece.byteLength;
  if (bytes < SMALLEST || kept + bytes > KEPT_BYTES) return;
  spare[31 - Math.clz32(bytes)]?.push(piece);
  kept += bytes;
}
