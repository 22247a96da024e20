import { STEP } from "../csv-records.ts";
import { lineEnds, type Marks, RecordCutter } from "./cut-record.ts";
import { MODULE } from "./tokeniser-wasm.ts";

/** Why a scan stopped: all bytes are read but for an unfinished record; no room for more; a record it leaves to `RecordCutter`. */
export const SCAN = { end: 0, full: 1, odd: 2 } as const;
export type Scanned = (typeof SCAN)[keyof typeof SCAN];

/**
 * Finds the ends of cells in bytes that it holds itself. `ends` and `bytes` are views of one buffer of fixed size; addresses
 * in `bytes` are indexes. At least 64 bytes may be read after the last one in use.
 */
export interface Tokeniser {
  readonly bytes: Uint8Array;
  readonly ends: Int32Array;
  /** 1 for a cell that holds doubled quotes, by the index of its end; may be 1 for others too. */
  readonly doubled: Uint8Array;
  /** Where in `bytes` there is room for content. */
  readonly from: number;
  readonly to: number;
  /** What the last scan found: line ends of records, why it stopped, and whether it met a quote. */
  readonly lines: number;
  readonly why: Scanned;
  readonly quotes: boolean;
  /**
   * Writes the ends of cells from `at` on to `ends`, from index `out` on, below `limit`; a record begins at `at`. Gives the
   * index after the last end; ends after the last whole record's mean nothing.
   */
  scan(at: number, to: number, out: number, limit: number): number;
  /** Physical line ends in [from, to). */
  countLines(from: number, to: number): number;
  /** Clears `doubled`. */
  forgetDoubled(): void;
  /** Lets another file have its memory. */
  release(): void;
}

/** Room after the content, for loads that reach over its end. */
export const PADDING = 64;
const RESULTS = 64;
const PAGE = 65_536;
/** Enough for most files, so that one memory does for them all. */
const USUAL_BYTES = 2 ** 20 + 2 ** 18;

/** A tokeniser with room for so many bytes and ends: WebAssembly where there is SIMD, else JavaScript. */
export function newTokeniser(marks: Marks, bytes: number, ends: number): Tokeniser {
  const machine = takeMachine(RESULTS + ends * 5 + bytes + PADDING);
  return machine === null ? new PlainTokeniser(marks, bytes, ends) : new SimdTokeniser(machine, marks, bytes, ends);
}

/** As much of the WebAssembly API as is used here; the types of Node leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (pages: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

/** An instance of the module with its memory. */
interface Machine {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly scan: (from: number, to: number, out: number, limit: number, delimiter: number, quote: number, flags: number) => number;
  readonly lines: (from: number, to: number) => number;
}

let module: object | null | undefined;
/** A memory costs more to make than a small file to read. */
let spare: Machine | null = null;

function takeMachine(bytes: number): Machine | null {
  if (spare !== null && spare.memory.buffer.byteLength >= bytes) {
    const machine = spare;
    spare = null;
    return machine;
  }
  if (module === undefined) {
    try {
      module = new WebAssembly.Module(Buffer.from(MODULE, "base64"));
    } catch {
      // No SIMD here, or no WebAssembly at all: the twin does the same, at a third of the speed.
      module = null;
    }
  }
  if (module === null) return null;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(Math.max(bytes, USUAL_BYTES) / PAGE) });
  const { exports } = new WebAssembly.Instance(module, { csv: { memory } });
  return { memory, scan: exports["scan"] as Machine["scan"], lines: exports["lines"] as Machine["lines"] };
}

/** Memory: results, ends, flags, bytes, padding. */
class SimdTokeniser implements Tokeniser {
  readonly bytes: Uint8Array;
  readonly ends: Int32Array;
  readonly doubled: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly #marks: Marks;
  readonly #results: Int32Array;
  readonly #machine: Machine;

  constructor(machine: Machine, marks: Marks, bytes: number, ends: number) {
    const flags = RESULTS + ends * 4;
    this.from = flags + ends;
    this.to = this.from + bytes;
    this.#machine = machine;
    this.#marks = marks;
    const { buffer } = machine.memory;
    this.#results = new Int32Array(buffer, 0, RESULTS / 4);
    this.ends = new Int32Array(buffer, RESULTS, ends);
    this.doubled = new Uint8Array(buffer, flags, ends);
    this.doubled.fill(0);
    this.bytes = new Uint8Array(buffer);
  }

  release(): void {
    if (this.bytes.length <= 2 * USUAL_BYTES) spare = this.#machine;
  }

  get lines(): number {
    return this.#results[0] ?? 0;
  }

  get why(): Scanned {
    return this.#results[1] as Scanned;
  }

  get quotes(): boolean {
    return this.#results[2] === 1;
  }

  scan(at: number, to: number, out: number, limit: number): number {
    const { delimiter, quote } = this.#marks;
    const flags = this.doubled.byteOffset - RESULTS / 4;
    return (this.#machine.scan(at, to, RESULTS + out * 4, RESULTS + limit * 4, delimiter, quote, flags) - RESULTS) >> 2;
  }

  forgetDoubled(): void {
    this.doubled.fill(0);
  }

  countLines(from: number, to: number): number {
    return this.#machine.lines(from, to);
  }
}

/** The same in plain JavaScript, record by record. */
export class PlainTokeniser implements Tokeniser {
  readonly bytes: Uint8Array;
  readonly ends: Int32Array;
  readonly doubled: Uint8Array;
  readonly from = 0;
  readonly to: number;
  lines = 0;
  why: Scanned = SCAN.end;
  quotes = true;
  readonly #cutter: RecordCutter;

  constructor(marks: Marks, bytes: number, ends: number) {
    this.to = bytes;
    this.bytes = new Uint8Array(bytes + PADDING);
    this.ends = new Int32Array(ends);
    this.doubled = new Uint8Array(ends).fill(1);
    this.#cutter = new RecordCutter(marks);
  }

  scan(at: number, to: number, out: number, limit: number): number {
    const cutter = this.#cutter;
    this.lines = 0;
    for (;;) {
      const step = cutter.cut(this.bytes, at, to, false, this.ends, out, limit - out);
      this.why = step === STEP.more || step === STEP.unclosed ? SCAN.end : SCAN.odd;
      if (step !== STEP.record) return out;
      this.why = SCAN.full;
      if (cutter.count > limit - out) return out;
      out += cutter.count;
      this.lines++;
      at = cutter.next;
    }
  }

  countLines(from: number, to: number): number {
    return lineEnds(this.bytes, from, to);
  }

  forgetDoubled(): void {}

  release(): void {}
}
