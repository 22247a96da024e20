import { Fault } from "../../domain/fault.ts";

/** Decoded bytes, with how many bytes of its input the codec has used up so far: not what was read ahead for it. */
export interface Inflated {
  readonly bytes: Uint8Array;
  readonly consumed: number;
}

/**
 * Turns compressed chunks into decoded ones of at most about 128 KiB (so that a bomb is met in small steps), reading its input to
 * the end. Throws `unreadable` where the input is broken, cut off, fails its checksum or goes on after its end,
 * `limit_exceeded` where decoding would take too much memory. Faults of the input pass through.
 */
export type Codec = (input: AsyncIterable<Uint8Array>) => AsyncGenerator<Inflated>;

export const OUTPUT_BYTES = 128 * 1024;

/** The fault of a stream that cannot be decoded any further. */
export function broken(codec: string, why: string, decoded: number, cause?: unknown): Fault {
  return new Fault(
    "unreadable",
    `the ${codec} stream is broken (${why}), after ${decoded} decoded bytes`,
    cause === undefined ? {} : { cause },
  );
}

/** The fault of a stream that ends before it says so. */
export function cutOff(codec: string, decoded: number, cause?: unknown): Fault {
  return new Fault("unreadable", `the ${codec} stream is cut off, after ${decoded} decoded bytes`, cause === undefined ? {} : { cause });
}

/** The fault of bytes behind the end of a stream that are neither padding nor another stream. */
export function garbageAfter(codec: string, at: number): Fault {
  return new Fault("unreadable", `the ${codec} stream ends at byte ${at}, but the file goes on with something else`, { value: at });
}
