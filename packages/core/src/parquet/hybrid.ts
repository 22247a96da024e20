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

/** Ids [from, to) of at most 16 bits each, in hybrid form. Sets the mark of every id that it meets to 1. */
export function putIds(ids: Uint16Array, from: number, to: number, width: number, marks: Uint8Array, out: Uint8Array, at: number): number {
  if (width === 0) {
    marks[0] = 1;
    return putRun(0, to - from, 0, out, at);
  }
  for (let i = from; i < to;) {
    const start = i;
    let run = 0;
    while (i < to) {
      const id = ids[i]!;
      marks[id] = 1;
      if (id === ids[i + 1] && id === ids[i + 7] && i + MIN_RUN <= to) {
        run = idRun(ids, i, to);
        if (run >= MIN_RUN) break;
        // No longer run begins within this one, but for one at its end.
        i += Math.max(run & ~7, 8);
        run = 0;
      } else i += 8;
    }
    if (i > start) at = putPacked(ids, start, Math.min(i, to), width, marks, out, at);
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

/** Where bits are packed by words, before they are copied to where they belong. */
let words = new Uint32Array(1_024);

/**
 * Groups of [from, to), filled up with zeros to a multiple of 8 ids. Two or four ids are joined before they are put into words,
 * whichever fits 32 bits: twice as fast as one after the other into bytes.
 */
function putPacked(ids: Uint16Array, from: number, to: number, width: number, marks: Uint8Array, out: Uint8Array, at: number): number {
  const groups = (to - from + 7) >> 3;
  const length = groups * width;
  if (words.length * 4 < length + 20) words = new Uint32Array(length);
  const step = width <= 8 ? 4 : 2;
  const whole = from + (to - from - ((to - from) % step));
  const end = step === 4 ? packFours(ids, from, whole, width, marks) : packPairs(ids, from, whole, width, marks);
  let { held, bits } = tail;
  let word = end;
  for (let i = whole; i < to; i++) {
    const id = ids[i]!;
    marks[id] = 1;
    held |= id << bits;
    bits += width;
    if (bits >= 32) {
      words[word++] = held;
      bits -= 32;
      held = bits === 0 ? 0 : id >>> (width - bits);
    }
  }
  words[word] = held;
  words.fill(0, word + 1, word + 5);
  at = putVarint((groups << 1) | 1, out, at);
  out.set(new Uint8Array(words.buffer, 0, length), at);
  return at + length;
}

/** Bits that did not fill a word. */
const tail = { held: 0, bits: 0 };

function packFours(ids: Uint16Array, from: number, to: number, width: number, marks: Uint8Array): number {
  const into = words;
  const width2 = width * 2;
  const width3 = width * 3;
  const width4 = width * 4;
  let held = 0;
  let bits = 0;
  let word = 0;
  for (let i = from; i < to; i += 4) {
    const a = ids[i]!;
    const b = ids[i + 1]!;
    const c = ids[i + 2]!;
    const d = ids[i + 3]!;
    marks[a] = 1;
    marks[b] = 1;
    marks[c] = 1;
    marks[d] = 1;
    const four = a | (b << width) | (c << width2) | (d << width3);
    held |= four << bits;
    bits += width4;
    if (bits >= 32) {
      into[word++] = held;
      bits -= 32;
      held = bits === 0 ? 0 : four >>> (width4 - bits);
    }
  }
  tail.held = held;
  tail.bits = bits;
  return word;
}

function packPairs(ids: Uint16Array, from: number, to: number, width: number, marks: Uint8Array): number {
  const into = words;
  const width2 = width * 2;
  let held = 0;
  let bits = 0;
  let word = 0;
  for (let i = from; i < to; i += 2) {
    const a = ids[i]!;
    const b = ids[i + 1]!;
    marks[a] = 1;
    marks[b] = 1;
    const pair = a | (b << width);
    held |= pair << bits;
    bits += width2;
    if (bits >= 32) {
      into[word++] = held;
      bits -= 32;
      held = bits === 0 ? 0 : pair >>> (width2 - bits);
    }
  }
  tail.held = held;
  tail.bits = bits;
  return word;
}

/** As `putIds`, for ids of more than 16 bits: all as one stretch of bit-packed groups. */
export function putWideIds(
  ids: Uint32Array | Uint16Array,
  from: number,
  to: number,
  width: number,
  marks: Uint8Array,
  out: Uint8Array,
  at: number,
): number {
  at = putVarint((((to - from + 7) >> 3) << 1) | 1, out, at);
  const end = at + ((to - from + 7) >> 3) * width;
  let held = 0;
  let bits = 0;
  for (let i = from; i < to; i++) {
    // Low 16 bits, then the others: 7 held bits and 16 more fit a 32-bit word.
    const id = ids[i]!;
    marks[id] = 1;
    held |= (id & 0xffff) << bits;
    for (bits += 16; bits >= 8; bits -= 8, held >>>= 8) out[at++] = held;
    held |= (id >>> 16) << bits;
    for (bits += width - 16; bits >= 8; bits -= 8, held >>>= 8) out[at++] = held;
  }
  if (bits > 0) out[at++] = held;
  while (at < end) out[at++] = 0;
  return at;
}
