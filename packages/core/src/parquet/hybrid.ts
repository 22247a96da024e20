/**
 * Parquet's RLE / bit-packing hybrid (Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"):
 *
 *   run of one value    varint(count << 1)        the value in ceil(width / 8) bytes
 *   groups of 8 values  varint(groups << 1 | 1)   groups * width bytes, least significant bit first
 *
 * A short run costs more than it saves (two headers beside its value) and zstd finds it anyway, so only longer ones are told.
 */
const MIN_RUN = 32;
const MIN_LEVEL_RUN = 64;

/** Bits that ids below `count` need; 0 when there is but one. */
export function widthOf(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1);
}

/** More bytes than `count` values of `width` bits ever take. */
export function hybridBound(count: number, width: number): number {
  return ((count + 7) >> 3) * (width + 1) + 16;
}

export function putVarint(value: number, out: Uint8Array, at: number): number {
  let rest = value;
  for (; rest >= 128; rest >>>= 7) out[at++] = (rest & 127) | 128;
  out[at++] = rest;
  return at;
}

/** Definition levels of rows [from, to), 1 where `present`; returns where the bytes end. `present` null: all are. */
export function putLevels(present: Uint8Array | null, from: number, to: number, out: Uint8Array, at: number): number {
  if (present === null) return putRun(1, to - from, 1, out, at);
  for (let i = from; i < to;) {
    const start = i;
    let run = 0;
    for (; i < to; i += 8) {
      if (i + MIN_LEVEL_RUN > to || present[i] !== present[i + 7] || present[i] !== present[i + 1]) continue;
      run = levelRun(present, i, to);
      if (run >= MIN_LEVEL_RUN) break;
      run = 0;
    }
    if (i > start) at = packLevels(present, start, Math.min(i, to), out, at);
    if (run > 0) at = putRun(present[i] ?? 0, run, 1, out, at);
    i += run;
  }
  return at;
}

function levelRun(present: Uint8Array, from: number, to: number): number {
  const first = present[from];
  let i = from + 1;
  while (i < to && present[i] === first) i++;
  return i - from;
}

function packLevels(present: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  at = putVarint((((to - from + 7) >> 3) << 1) | 1, out, at);
  let i = from;
  for (; i + 8 <= to; i += 8) {
    out[at++] =
      present[i]! |
      (present[i + 1]! << 1) |
      (present[i + 2]! << 2) |
      (present[i + 3]! << 3) |
      (present[i + 4]! << 4) |
      (present[i + 5]! << 5) |
      (present[i + 6]! << 6) |
      (present[i + 7]! << 7);
  }
  if (i < to) {
    let last = 0;
    for (let bit = 0; i < to; i++, bit++) last |= present[i]! << bit;
    out[at++] = last;
  }
  return at;
}

function putRun(value: number, count: number, width: number, out: Uint8Array, at: number): number {
  at = putVarint(count * 2, out, at);
  for (let bits = 0; bits < width; bits += 8) out[at++] = value >>> bits;
  return at;
}

/** Ids [from, to) of at most 16 bits each, in hybrid form. */
export function putIds(ids: Uint16Array, from: number, to: number, width: number, out: Uint8Array, at: number): number {
  if (width === 0) return putRun(0, to - from, 0, out, at);
  for (let i = from; i < to;) {
    const start = i;
    let run = 0;
    for (; i < to; i += 8) {
      if (ids[i] !== ids[i + 1] || ids[i] !== ids[i + 7] || i + MIN_RUN > to) continue;
      run = idRun(ids, i, to);
      if (run >= MIN_RUN) break;
      run = 0;
    }
    if (i > start) {
      const end = Math.min(i, to);
      at = putVarint((((end - start + 7) >> 3) << 1) | 1, out, at);
      at = packIds(ids, start, end, width, out, at);
    }
    if (run > 0) at = putRun(ids[i] ?? 0, run, width, out, at);
    i += run;
  }
  return at;
}

function idRun(ids: Uint16Array, from: number, to: number): number {
  const first = ids[from];
  let i = from + 1;
  while (i < to && ids[i] === first) i++;
  return i - from;
}

/** Bits of [from, to), filled up with zeros to a multiple of 8 values. */
function packIds(ids: Uint16Array, from: number, to: number, width: number, out: Uint8Array, at: number): number {
  const end = at + ((to - from + 7) >> 3) * width;
  if (width === 8) {
    for (let i = from; i < to; i++) out[at++] = ids[i]!;
  } else {
    let held = 0;
    let bits = 0;
    for (let i = from; i < to; i++) {
      held |= ids[i]! << bits;
      bits += width;
      if (bits >= 16) {
        out[at] = held;
        out[at + 1] = held >>> 8;
        at += 2;
        held >>>= 16;
        bits -= 16;
      }
    }
    for (; bits > 0; bits -= 8, held >>>= 8) out[at++] = held;
  }
  while (at < end) out[at++] = 0;
  return at;
}

/** Ids of more than 16 bits, all as one stretch of bit-packed groups. */
export function putWideIds(ids: Uint32Array | Uint16Array, from: number, to: number, width: number, out: Uint8Array, at: number): number {
  at = putVarint((((to - from + 7) >> 3) << 1) | 1, out, at);
  const end = at + ((to - from + 7) >> 3) * width;
  let held = 0;
  let bits = 0;
  for (let i = from; i < to; i++) {
    // Low 16 bits, then the others: 7 held bits and 16 more fit a 32-bit word.
    const id = ids[i]!;
    held |= (id & 0xffff) << bits;
    for (bits += 16; bits >= 8; bits -= 8, held >>>= 8) out[at++] = held;
    held |= (id >>> 16) << bits;
    for (bits += width - 16; bits >= 8; bits -= 8, held >>>= 8) out[at++] = held;
  }
  if (bits > 0) out[at++] = held;
  while (at < end) out[at++] = 0;
  return at;
}
