import type { FaultRecord } from "./fault.ts";

/** What a file may ask of its sandbox. A fault of code `limit_exceeded` names the limit by its name here. */
export interface ConvertLimits {
  /** Bytes after decompression, over all members of a zip. */
  readonly decodedBytes: number;
  /** Decompressed to compressed bytes, asked once 64 MiB are decoded. */
  readonly ratio: number;
  /** Bytes held in memory of a compressed file whose format is not read from front to back. */
  readonly heldBytes: number;
  /** Bytes of one record. */
  readonly recordBytes: number;
  readonly columns: number;
  /** Bytes of the footer or directory that a format keeps apart from its rows. */
  readonly footerBytes: number;
  /** Entries of a zip, folders and all. */
  readonly zipEntries: number;
  /** Lists and objects within each other in JSON. */
  readonly jsonDepth: number;
  /** A part is closed at about this many bytes; no file is refused for it. */
  readonly partBytes: number;
}

export const DEFAULT_LIMITS: ConvertLimits = {
  decodedBytes: 64 * 2 ** 30,
  ratio: 1_000,
  heldBytes: 256 * 2 ** 20,
  recordBytes: 16 * 2 ** 20,
  columns: 16_384,
  footerBytes: 256 * 2 ** 20,
  zipEntries: 10_000,
  jsonDepth: 128,
  partBytes: 512 * 2 ** 20,
};

/** The settings that an operator raises limits by; the others are fixed. */
export const LIMIT_SETTINGS = {
  decodedBytes: "SLUICE_MAX_DECODED",
  ratio: "SLUICE_MAX_RATIO",
  heldBytes: "SLUICE_MAX_HELD",
  recordBytes: "SLUICE_MAX_RECORD",
} as const satisfies Partial<Record<keyof ConvertLimits, string>>;

/** A fault's record; one of a limit that can be raised says by which setting. */
export function toldLimit(record: FaultRecord): FaultRecord {
  const { code, field, message } = record;
  if (code !== "limit_exceeded" || field === undefined || !isRaised(field) || message.includes(LIMIT_SETTINGS[field])) return record;
  return { ...record, message: `${message}; ${LIMIT_SETTINGS[field]} raises it` };
}

function isRaised(field: string): field is keyof typeof LIMIT_SETTINGS {
  return Object.hasOwn(LIMIT_SETTINGS, field);
}
