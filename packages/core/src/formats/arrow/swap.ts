/** A copy with the bytes of each value of `width` bytes in the other order; what is left over at the end stays. */
export function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = bytes.slice();
  const view = Buffer.from(out.buffer, out.byteOffset, out.length - (out.length % width));
  if (width === 2) view.swap16();
  else if (width === 4) view.swap32();
  else if (width === 8) view.swap64();
  else for (let at = 0; at < view.length; at += width) view.subarray(at, at + width).reverse();
  return out;
}
