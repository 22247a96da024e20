/** Branded identifiers. Made and checked here and nowhere else. */

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A tenant. The first org is 0. Fits a double: ids are counters. */
export type OrgId = Brand<number, "OrgId">;
/** An upload session, ascending in commit order within an org. */
export type SyncId = Brand<number, "SyncId">;
/** A file's place in its org's upload history, ascending in commit order. */
export type HistoryNo = Brand<number, "HistoryNo">;
/** uuidv7, lower case with hyphens. */
export type FileId = Brand<string, "FileId">;
/** uuidv7, lower case with hyphens. */
export type DatasetId = Brand<string, "DatasetId">;
/** uuidv7, lower case with hyphens. */
export type PartId = Brand<string, "PartId">;
/** uuidv7, lower case with hyphens. */
export type TrashId = Brand<string, "TrashId">;
/** uuidv7, lower case with hyphens: a dry run. */
export type InspectionId = Brand<string, "InspectionId">;
/** uuidv7, lower case with hyphens: the record of one generation (its number is per dataset). */
export type GenerationId = Brand<string, "GenerationId">;
/** The attempt token of a file, minted when a worker claims it: the fence. Starts at 0. */
export type Epoch = Brand<number, "Epoch">;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const COUNTER = /^(0|[1-9][0-9]{0,15})$/;

/** The text as a uuid in canonical lower case, or null when it is none. */
export function parseUuid<T extends FileId | DatasetId | PartId | TrashId | GenerationId | InspectionId>(text: string): T | null {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? (lower as T) : null;
}

/** A counter id from text or number (canonical decimal, below 2^53), or null. */
export function parseCounter<T extends OrgId | SyncId | HistoryNo>(value: unknown): T | null {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || !COUNTER.test(text)) return null;
  const id = Number(text);
  return Number.isSafeInteger(id) ? (id as T) : null;
}

/**
 * A version 7 uuid (RFC 9562, 5.7): 48 bits of Unix milliseconds, then random bits.
 * Time and randomness are arguments so that tests can fix them.
 */
export function uuidv7<T extends FileId | DatasetId | PartId | TrashId | GenerationId | InspectionId>(
  nowMs: number,
  random: Uint8Array,
): T {
  const bytes = new Uint8Array(16);
  bytes.set(random.subarray(0, 10), 6);
  let rest = nowMs;
  for (let at = 5; at >= 0; at--) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as T;
}

/** Clock and randomness, passed to whatever makes ids or decides on time. */
export interface Clock {
  /** Unix epoch milliseconds. */
  now(): number;
  /** `count` random bytes. */
  random(count: number): Uint8Array;
}

/** A fresh id from a clock. */
export function newId<T extends FileId | DatasetId | PartId | TrashId | GenerationId | InspectionId>(clock: Clock): T {
  return uuidv7<T>(clock.now(), clock.random(10));
}
