/**
 * Objects under keys. Keys come from `domain/keys.ts`: `/`-separated, UTF-8, no leading slash, no `.` or `..` segment.
 * Every method throws `store_unavailable` when the store cannot be reached or misbehaves, `disk_full` when it has no room.
 */
export interface ObjectStore {
  /**
   * Stores the whole stream under the key or nothing: no reader ever sees a part of it, and after a throw (the source's own
   * error is rethrown as it is, an abort as the signal's reason) nothing is left but what `sweep` takes. Replaces what was there.
   * Resolves when the object is durable (disk: file and folder fsynced), with its size and lower-case hex SHA-256 of the bytes.
   * The source must not touch a chunk after it gave it out: it may still be on its way.
   */
  put(key: string, source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<Stored>;
  /** Bytes `start` to `end` (end exclusive; both optional), clamped to the object: past its end there are none. Throws `not_found` when there is no such object. Ends the source when the reader stops. */
  get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<AsyncIterable<Uint8Array>>;
  /** Size, or null when there is no such object. */
  head(key: string): Promise<{ readonly bytes: number } | null>;
  /** A second name for the same bytes, durable; replaces what was there. Throws `not_found`. */
  copy(from: string, to: string): Promise<void>;
  /** Removes the keys that are there; one that is not there is no error. */
  remove(keys: readonly string[]): Promise<void>;
  /** Every key with the prefix, in no promised order, with size and time of last change. */
  list(prefix: string): AsyncIterable<{ readonly key: string; readonly bytes: number; readonly modifiedMs: number }>;
  /** A link that lets its holder GET this one key, nothing else, until it expires. Needs no request to the store. */
  link(key: string, options: LinkOptions): Promise<string>;
  /** Takes away what unfinished puts left behind before the time (Unix ms): temporary files, multipart uploads. Resolves to how many. */
  sweep(olderThanMs: number): Promise<number>;
}

export interface PutOptions {
  /** Expected size, when known: sizes the multipart parts. */
  readonly bytes?: number;
  readonly signal?: AbortSignal;
}

export interface Stored {
  readonly bytes: number;
  readonly sha256: string;
}

export interface LinkOptions {
  /** Unix ms. */
  readonly expiresAtMs: number;
  /** The name offered on download; the answer is an attachment. */
  readonly fileName: string;
}
