import { Fault } from "../../domain/fault.ts";
import { SENTINELS } from "./xml-bytes.ts";

/** Bytes [at, to) of a part, followed by the sentinels. Whoever scans it moves `at` to what it could not yet use. */
export interface XmlWindow {
  bytes: Uint8Array;
  at: number;
  to: number;
}

const FIRST_BYTES = 512 * 1024;

/**
 * A part's bytes in windows, each beginning with what was left of the one before. A unit that outgrows its window is waited
 * for until the window has doubled, so that long ones cost linear time. Throws `limit_exceeded` for one beyond `limit`.
 */
export async function* xmlWindows(chunks: AsyncIterable<Uint8Array>, limit: number, part: string): AsyncGenerator<XmlWindow> {
  const window: XmlWindow = { bytes: new Uint8Array(FIRST_BYTES), at: 0, to: 0 };
  let wanted = 0;
  for await (const chunk of chunks) {
    append(window, chunk);
    if (window.to < wanted) continue;
    yield window;
    const rest = window.to - window.at;
    if (rest > limit) {
      throw new Fault("limit_exceeded", `the part ${part} holds an element longer than ${limit} bytes (limit recordBytes)`, {
        field: "recordBytes",
        limit,
      });
    }
    wanted = window.at === 0 ? Math.min(rest * 2, limit + 1) : 0;
    window.bytes.copyWithin(0, window.at, window.to);
    window.at = 0;
    window.to = rest;
  }
  if (window.to > 0 && window.to < wanted) yield window;
}

function append(window: XmlWindow, chunk: Uint8Array): void {
  const to = window.to + chunk.length;
  if (to + SENTINELS.length > window.bytes.length) {
    const bytes = new Uint8Array(Math.max(window.bytes.length * 2, to + SENTINELS.length));
    bytes.set(window.bytes.subarray(0, window.to));
    window.bytes = bytes;
  }
  window.bytes.set(chunk, window.to);
  window.bytes.set(SENTINELS, to);
  window.to = to;
}
