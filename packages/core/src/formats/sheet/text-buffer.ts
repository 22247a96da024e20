const LEAST = 1_024;

/** UTF-8 that grows: `length` of `bytes` is in use. */
export class TextBuffer {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Room for `more` bytes behind `length`. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.length + more, this.bytes.length * 2, LEAST));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }
}
