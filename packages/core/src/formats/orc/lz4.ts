import { damaged } from "./damage.ts";
import { LzOutput } from "./lz-output.ts";

/** An LZ4 block, whose size is not said (LZ4 block format description). At most `limit` bytes come out. */
export function decodeLz4(input: Uint8Array, limit: number): Uint8Array {
  const output = new LzOutput("lz4", Math.min(limit, input.length * 255));
  let at = 0;
  const byte = (): number => {
    const value = input[at++];
    if (value === undefined) throw damaged("an lz4 chunk is cut off");
    return value;
  };
  const length = (start: number): number => {
    let total = start;
    if (start === 15) for (let more = 255; more === 255;) total += more = byte();
    return total;
  };
  while (at < input.length) {
    const token = byte();
    const literals = length(token >> 4);
    output.literals(input, at, literals);
    at += literals;
    if (at === input.length) break; // the last sequence has literals only
    const distance = byte() | (byte() << 8);
    output.match(distance, length(token & 15) + 4);
  }
  return output.done();
}
