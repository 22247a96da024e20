import { damaged } from "./damage.ts";
import { LzOutput } from "./lz-output.ts";

/** A raw Snappy block (snappy format description): its size as a varint, then literals and copies told apart by two bits. */
export function decodeSnappy(input: Uint8Array, limit: number): Uint8Array {
  let at = 0;
  const little = (bytes: number): number => {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += (input[at + i] ?? cutOff()) * 2 ** (8 * i);
    at += bytes;
    return value;
  };
  let size = 0;
  for (let shift = 0, more = true; more; shift += 7) {
    const byte = little(1);
    if (shift > 28) throw damaged("a snappy chunk begins with no size");
    size += (byte & 127) * 2 ** shift;
    more = byte >= 128;
  }
  if (size > limit) throw damaged(`a snappy chunk holds ${size} bytes, more than the ${limit} of a block`);
  const output = new LzOutput("snappy", size);
  while (at < input.length) {
    const tag = little(1);
    const high = tag >> 2;
    if ((tag & 3) === 0) {
      const length = (high < 60 ? high : little(high - 59)) + 1;
      output.literals(input, at, length);
      at += length;
    } else if ((tag & 3) === 1) output.match(((tag >> 5) << 8) | little(1), (high & 7) + 4);
    else output.match(little((tag & 3) === 2 ? 2 : 4), high + 1);
  }
  if (output.at !== size) throw damaged(`a snappy chunk says it holds ${size} bytes, but holds ${output.at}`);
  return output.done();
}

function cutOff(): never {
  throw damaged("a snappy chunk is cut off");
}
