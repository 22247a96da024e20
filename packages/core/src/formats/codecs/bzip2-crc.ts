/** CRC-32 as bzip2 has it: polynomial 0x04C11DB7, most significant bit first, eight bytes a step (slicing by 8). */
const TABLES = tables();

function tables(): readonly Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
    return crc >>> 0;
  });
  const all = [first];
  for (let i = 1; i < 8; i++) {
    const before = all[i - 1]!;
    all.push(before.map((crc) => ((crc << 8) ^ first[crc >>> 24]!) >>> 0));
  }
  return all;
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/** The running value over `length` more bytes; begins and ends with all bits set and inverted by the caller. */
export function bzipCrc(crc: number, bytes: Uint8Array, length: number): number {
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    const word = crc ^ ((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!);
    crc =
      T7[word >>> 24]! ^
      T6[(word >>> 16) & 255]! ^
      T5[(word >>> 8) & 255]! ^
      T4[word & 255]! ^
      T3[bytes[i + 4]!]! ^
      T2[bytes[i + 5]!]! ^
      T1[bytes[i + 6]!]! ^
      T0[bytes[i + 7]!]!;
  }
  for (; i < length; i++) crc = (crc << 8) ^ T0[((crc >>> 24) ^ bytes[i]!) & 255]!;
  return crc;
}
