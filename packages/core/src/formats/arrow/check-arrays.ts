import { isUtf8 } from "node:buffer";
import type { ArrowArray } from "./array.ts";
import { bitAt, countOnes } from "./bits.ts";
import { unreadable } from "./refuse.ts";
import type { DictionaryKey } from "./schema.ts";
import { swapped } from "./swap.ts";

/** Numbers of 32 bits over bytes, which are copied where they do not lie at a multiple of four. */
export function int32sOf(bytes: Uint8Array, count: number): Int32Array {
  const at = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(at.buffer, at.byteOffset, count);
}

/** A validity buffer that agrees with its count of nulls, or null where there are none. */
export function validityOf(bytes: Uint8Array, length: number, nulls: number): Uint8Array | null {
  if (bytes.length === 0) return nulls === 0 ? null : unreadable(`an array with ${nulls} nulls says not which`);
  if (bytes.length < (length + 7) >> 3) unreadable(`a validity buffer of ${bytes.length} bytes for ${length} rows`);
  const found = length - countOnes(bytes, length);
  if (found !== nulls) unreadable(`an array with ${found} nulls says it has ${nulls}`);
  return nulls === 0 ? null : bytes;
}

/** Offsets as 32 bits; those of large types are narrowed, since no body is that long. */
export function offsetsOf(bytes: Uint8Array, length: number, large: boolean): Int32Array {
  // Arrays without rows may leave their only offset out.
  if (length === 0 && bytes.length < (large ? 8 : 4)) return new Int32Array(1);
  return large ? narrowed(bytes, length + 1) : exact(bytes, length + 1);
}

function exact(bytes: Uint8Array, count: number): Int32Array {
  if (bytes.length < count * 4) unreadable(`${count} offsets in ${bytes.length} bytes`);
  return int32sOf(bytes, count);
}

/** Whole numbers of 64 bits from 0 to 2^31 - 1. */
function narrowed(bytes: Uint8Array, count: number): Int32Array {
  if (bytes.length < count * 8) unreadable(`${count} offsets in ${bytes.length} bytes`);
  const halves = int32sOf(bytes, count * 2);
  const out = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const low = halves[i * 2] ?? 0;
    if (low < 0 || halves[i * 2 + 1] !== 0) return unreadable("an offset beyond its buffer");
    out[i] = low;
  }
  return out;
}

/** From 0 on, none before the one ahead of it, none beyond `end`. */
export function checkOffsets(offsets: Int32Array, length: number, end: number): void {
  let last = offsets[0] ?? 0;
  if (last < 0) unreadable(`offsets begin at ${last}`);
  for (let i = 1; i <= length; i++) {
    const next = offsets[i] ?? 0;
    if (next < last) return unreadable(`offset ${i} is ${next}, after ${last}`);
    last = next;
  }
  if (last > end) unreadable(`offsets reach to ${last}, there are ${end} values`);
}

/** Text must be UTF-8 where a row has a value: checked at once, and row by row only where that fails. */
export function checkUtf8(offsets: Int32Array, values: Uint8Array, validity: Uint8Array | null, length: number): void {
  const [from, to] = [offsets[0] ?? 0, offsets[length] ?? 0];
  let good = isUtf8(values.subarray(from, to));
  for (let i = 0; good && i < length; i++) {
    const at = offsets[i] ?? 0;
    good = at >= to || ((values[at] ?? 0) & 0xc0) !== 0x80;
  }
  if (good) return;
  for (let i = 0; i < length; i++) {
    if (validity && !bitAt(validity, i)) continue;
    if (!isUtf8(values.subarray(offsets[i], offsets[i + 1]))) unreadable(`the text of row ${i + 1} of a batch is not UTF-8`);
  }
}

interface Valid {
  readonly length: number;
  readonly validity: Uint8Array | null;
}

/** Indexes of any width as 32 bits, -1 where the row is null. Throws where one is beyond the dictionary's `size`. */
export function indicesOf(bytes: Uint8Array, key: DictionaryKey, { length, validity }: Valid, size: number): Int32Array {
  if (bytes.length < (length * key.bits) / 8) unreadable(`${length} indexes of ${key.bits} bits in ${bytes.length} bytes`);
  const out = new Int32Array(length);
  const raw = key.bits === 64 ? null : smallInts(bytes, key, length);
  const halves = key.bits === 64 ? int32sOf(bytes, length * 2) : null;
  for (let i = 0; i < length; i++) {
    if (validity && !bitAt(validity, i)) {
      out[i] = -1;
      continue;
    }
    const index = raw ? (raw[i] ?? 0) : halves?.[i * 2 + 1] === 0 ? (halves[i * 2] ?? 0) : -1;
    if (index < 0 || index >= size) return unreadable(`row ${i + 1} of a batch refers to entry ${index} of a dictionary of ${size}`);
    out[i] = index;
  }
  return out;
}

function smallInts(bytes: Uint8Array, { bits, signed }: DictionaryKey, length: number): ArrayLike<number> {
  const at = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const make =
    bits === 8 ? (signed ? Int8Array : Uint8Array) : bits === 16 ? (signed ? Int16Array : Uint16Array) : signed ? Int32Array : Uint32Array;
  return new make(at.buffer as ArrayBuffer, at.byteOffset, length);
}

/** Places and sizes of list views, each within the child. */
export function spansOf(from: Uint8Array, counts: Uint8Array, length: number, large: boolean, end: number) {
  if (length === 0) return { offsets: new Int32Array(0), sizes: new Int32Array(0) };
  const read = large ? narrowed : exact;
  const [offsets, sizes] = [read(from, length), read(counts, length)];
  for (let i = 0; i < length; i++) {
    const [at, size] = [offsets[i] ?? 0, sizes[i] ?? 0];
    if (at < 0 || size < 0 || at + size > end) return unreadable(`a list of ${size} values at ${at} of ${end}`);
  }
  return { offsets, sizes };
}

/** Which child each row of a union picks. */
export function typeIdsOf(bytes: Uint8Array, known: readonly number[], validity: Uint8Array | null, length: number) {
  if (bytes.length < length) unreadable(`${length} types of a union in ${bytes.length} bytes`);
  const ids = new Int8Array(bytes.buffer, bytes.byteOffset, length);
  const picks = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const child = known.indexOf(ids[i] ?? 0);
    if (child < 0 && (validity === null || bitAt(validity, i))) return unreadable(`a union has no type ${ids[i]}`);
    picks[i] = Math.max(child, 0);
  }
  return { ids, picks };
}

export function denseOffsets(
  bytes: Uint8Array,
  picks: Uint8Array,
  children: readonly ArrowArray[],
  validity: Uint8Array | null,
  length: number,
): Int32Array {
  const offsets = exact(bytes, length);
  for (let i = 0; i < length; i++) {
    if (validity && !bitAt(validity, i)) continue;
    const [at, size] = [offsets[i] ?? 0, children[picks[i] ?? 0]?.length ?? 0];
    if (at < 0 || at >= size) return unreadable(`row ${i + 1} of a union is value ${at} of ${size}`);
  }
  return offsets;
}

/** Run ends: ascending, the last at or beyond the array's length. */
export function runEnds(ends: ArrowArray, values: ArrowArray, length: number): Int32Array {
  if (ends.is !== "fixed" || ends.nulls > 0) return unreadable("run ends with nulls");
  if (values.length < ends.length) unreadable(`${ends.length} runs of ${values.length} values`);
  const out =
    ends.width === 8
      ? narrowed(ends.bytes, ends.length)
      : Int32Array.from(smallInts(ends.bytes, { id: "", bits: ends.width * 8, signed: true }, ends.length));
  let last = 0;
  for (const end of out) {
    if (end <= last) return unreadable(`a run ends at ${end}, the one ahead of it at ${last}`);
    last = end;
  }
  if (last < length) unreadable(`runs end at ${last}, the column has ${length} rows`);
  return out;
}

interface ViewRules {
  readonly text: boolean;
  readonly bigEndian: boolean;
}

/** Views whose rows with a value lie within their buffers and repeat their first four bytes. */
export function checkViews(
  bytes: Uint8Array,
  data: readonly Uint8Array[],
  validity: Uint8Array | null,
  length: number,
  { text, bigEndian }: ViewRules,
): Int32Array {
  if (bytes.length < length * 16) unreadable(`${length} views in ${bytes.length} bytes`);
  const views = int32sOf(bigEndian ? swappedViews(bytes) : bytes, length * 4);
  const raw = new Uint8Array(views.buffer, views.byteOffset, views.byteLength);
  for (let i = 0; i < length; i++) {
    if (validity && !bitAt(validity, i)) continue;
    const value = viewAt(views, raw, data, i) ?? unreadable(`row ${i + 1} of a batch lies outside its buffers`);
    for (let k = 0; value.length > 12 && k < 4; k++) if (value[k] !== raw[i * 16 + 4 + k]) unreadable("a view that contradicts its buffer");
    if (text && !isUtf8(value)) unreadable(`the text of row ${i + 1} of a batch is not UTF-8`);
  }
  return views;
}

/** The bytes of a view, or null where they lie nowhere. */
export function viewAt(views: Int32Array, raw: Uint8Array, data: readonly Uint8Array[], row: number): Uint8Array | null {
  const length = views[row * 4] ?? 0;
  if (length < 0) return null;
  if (length <= 12) return raw.subarray(row * 16 + 4, row * 16 + 4 + length);
  const buffer = data[views[row * 4 + 2] ?? 0];
  const at = views[row * 4 + 3] ?? 0;
  return buffer === undefined || at < 0 || at + length > buffer.length ? null : buffer.subarray(at, at + length);
}

/** Lengths, and of long values buffer and offset: what is text in a view has no byte order. */
function swappedViews(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice(0, bytes.length - (bytes.length % 16));
  for (let at = 0; at < out.length; at += 16) {
    out.set(swapped(out.subarray(at, at + 4), 4), at);
    const length = out[at]! | (out[at + 1]! << 8) | (out[at + 2]! << 16) | (out[at + 3]! << 24);
    if (length > 12) out.set(swapped(out.subarray(at + 8, at + 16), 4), at + 8);
  }
  return out;
}
