/**
 * Frames between the worker and its sandboxed child, over one duplex pipe:
 *
 *   u32 payload length | u8 kind | u32 id | payload          (little endian)
 *
 * Bytes of files travel as they are, never as base64 or JSON.
 */

import type { ConvertOutcome } from "@sluice/core/ports/converter";

/** Kinds of frames. id is the job's number for job, cancel, progress, outcome and threw; else that of the read or sink. */
export const FRAME = {
  // worker -> child
  job: 1, // JSON ConvertRequest
  data: 2, // the answer to a read
  credit: 3, // u32: bytes of a sink that are done with
  closed: 4, // JSON { bytes, sha256 }
  cancel: 5,
  aborted: 6, // nothing of the sink's object is left
  // child -> worker
  ready: 16,
  read: 17, // f64 offset, u32 length
  openPart: 18, // UTF-8 table
  openRejects: 19,
  write: 20, // bytes
  close: 21,
  progress: 22, // f64 rows, f64 bytes
  outcome: 23, // JSON Ended
  threw: 24, // JSON Thrown
  abort: 25, // drop the sink's object, also a closed one
} as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

/** How `convert` ended, and whether its process has worn out with it: then another takes the next job. */
export interface Ended {
  readonly outcome: ConvertOutcome;
  readonly worn: boolean;
}

/** What `convert` threw, as far as it can travel. */
export interface Thrown {
  /** A WebAssembly trap: the module's memory is in an unknown state. */
  readonly trap: boolean;
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  /** A FaultRecord when it was a fault. */
  readonly fault: unknown;
}

/** A read asks for at most this many bytes; longer ones are cut by the child. Also the longest payload of a frame. */
export const READ_MAX = 4 * 2 ** 20;
/** Reads in flight. */
export const READS_MAX = 4;
/** Part bytes that may be under way without the worker having done with them: bounds memory on both sides. */
export const WINDOW = 4 * 2 ** 20;
/** Bytes of one write frame: small enough that credit flows while a large buffer is written. */
export const WRITE_MAX = 256 * 2 ** 10;

const HEADER = 9;
/** Payloads from this size on have memory of their own, which may be used again; so many are kept. */
const POOLED = 64 * 2 ** 10;
const SPARE = 4;
/** Schemas and options of the widest file (16,384 columns) as JSON stay below this. */
const PAYLOAD_MAX = 64 * 2 ** 20;

/** A frame in one new buffer: the payload is copied, so its buffer may be used again at once. */
export function frame(kind: FrameKind, id: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const whole = Buffer.allocUnsafe(HEADER + payload.byteLength);
  writeHeader(whole, kind, id, payload.byteLength);
  whole.set(payload, HEADER);
  return whole;
}

/** The header alone, for a payload that is sent after it without being copied. */
export function header(kind: FrameKind, id: number, length: number): Buffer {
  const head = Buffer.allocUnsafe(HEADER);
  writeHeader(head, kind, id, length);
  return head;
}

export function jsonFrame(kind: FrameKind, id: number, value: unknown): Buffer {
  return frame(kind, id, Buffer.from(JSON.stringify(value)));
}

function writeHeader(into: Buffer, kind: FrameKind, id: number, length: number): void {
  into.writeUInt32LE(length, 0);
  into.writeUInt8(kind, 4);
  into.writeUInt32LE(id, 5);
}

export type OnFrame = (kind: number, id: number, payload: Buffer) => void;

/**
 * Cuts a byte stream into frames. A payload that lies in one chunk is a view of it, one that does not is copied once.
 * Throws on a frame longer than any of ours: the other side is broken.
 */
export class FrameReader {
  readonly #onFrame: OnFrame;
  readonly #head = Buffer.alloc(HEADER);
  #headFilled = 0;
  #payload: Buffer | null = null;
  #payloadFilled = 0;
  readonly #lent = new WeakMap<ArrayBufferLike, Buffer>();
  readonly #spare: Buffer[] = [];

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headFilled < HEADER) {
        const take = Math.min(HEADER - this.#headFilled, chunk.length - at);
        chunk.copy(this.#head, this.#headFilled, at, at + take);
        this.#headFilled += take;
        at += take;
        if (this.#headFilled < HEADER) return;
      }
      at += this.#takePayload(chunk, at);
    }
  }

  /** Takes what it can of the current payload from the chunk, emits the frame when it is whole; says how much it took. */
  #takePayload(chunk: Buffer, at: number): number {
    const length = this.#head.readUInt32LE(0);
    if (length > PAYLOAD_MAX) throw new Error(`a frame of ${length} bytes`);
    if (this.#payload === null && chunk.length - at >= length) {
      this.#emit(chunk.subarray(at, at + length));
      return length;
    }
    this.#payload ??= this.#room(length);
    const take = Math.min(length - this.#payloadFilled, chunk.length - at);
    chunk.copy(this.#payload, this.#payloadFilled, at, at + take);
    this.#payloadFilled += take;
    if (this.#payloadFilled === length) this.#emit(this.#payload);
    return take;
  }

  /** Takes back a payload that was emitted; its memory serves a later one. Bytes that are none of ours are left alone. */
  recycle(payload: Uint8Array): void {
    const whole = this.#lent.get(payload.buffer);
    if (!whole) return;
    this.#lent.delete(payload.buffer);
    if (this.#spare.length < SPARE) this.#spare.push(whole);
  }

  #room(length: number): Buffer {
    if (length < POOLED) return Buffer.allocUnsafe(length);
    const at = this.#spare.findIndex((spare) => spare.length >= length);
    const whole = at < 0 ? Buffer.allocUnsafeSlow(length) : (this.#spare.splice(at, 1)[0] ?? Buffer.allocUnsafeSlow(length));
    this.#lent.set(whole.buffer, whole);
    return whole.subarray(0, length);
  }

  #emit(payload: Buffer): void {
    this.#headFilled = 0;
    this.#payloadFilled = 0;
    this.#payload = null;
    this.#onFrame(this.#head.readUInt8(4), this.#head.readUInt32LE(5), payload);
  }
}
