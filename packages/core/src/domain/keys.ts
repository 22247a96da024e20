import { createHash } from "node:crypto";
import type { Epoch, FileId, InspectionId, OrgId } from "./ids.ts";

/** Object keys. No other file builds one. `path` is a checked lake path with its leading slash. */

/** Raw bytes of an upload; `day` is the UTC day of arrival, so that retention can work by prefix. */
export function rawKey(org: OrgId, receivedAtMs: number, file: FileId): string {
  return `raw/${org}/${new Date(receivedAtMs).toISOString().slice(0, 10)}/${file}`;
}

/** Bytes of a dry run, for minutes. */
export function inspectionKey(org: OrgId, inspection: InspectionId): string {
  return `${INSPECTIONS}${org}/${inspection}`;
}
export const INSPECTIONS = "raw/tmp/";

/** One part. The epoch in the key means that two attempts never write the same object. */
export function partKey(at: {
  org: OrgId;
  path: string;
  generation: number;
  table: string;
  file: FileId;
  epoch: Epoch;
  index: number;
}): string {
  return `lake/${at.org}${at.path}/gen-${at.generation}/${tableSegment(at.table)}/${at.file}.${at.epoch}.${at.index}.parquet`;
}

/** An opaque file as readers find it. */
export function opaqueKey(at: { org: OrgId; path: string; generation: number; file: FileId }): string {
  return `files/${at.org}${at.path}/gen-${at.generation}/${at.file}`;
}

/** The rejected rows of one attempt. */
export function rejectsKey(org: OrgId, file: FileId, epoch: Epoch): string {
  return `rejects/${org}/${file}.${epoch}.ndjson`;
}

/** The list of what is live: the reader's contract. */
export function currentKey(org: OrgId, path: string): string {
  return `lake/${org}${path}/current.json`;
}

/** An immutable page of a long list of parts, named by its content. */
export function currentPageKey(org: OrgId, path: string, hash: string): string {
  return `lake/${org}${path}/pages/${hash}.json`;
}

const MAX_TABLE_SEGMENT = 200;

/**
 * A table's name as one key segment: letters, digits, `_`, `-` and inner dots stand as they are, every other byte as `~` and two
 * hex digits (no percent sign: stores and file systems encode that once more). A long one is cut and told apart by its SHA-256.
 */
export function tableSegment(table: string): string {
  const encoded = [...Buffer.from(table)].map((byte, at) => (isPlain(byte, at) ? String.fromCharCode(byte) : hexOf(byte))).join("");
  if (encoded.length <= MAX_TABLE_SEGMENT) return encoded;
  const hash = createHash("sha256").update(table).digest("hex").slice(0, 32);
  return `${encoded.slice(0, MAX_TABLE_SEGMENT - hash.length - 2)}~~${hash}`;
}

function isPlain(byte: number, at: number): boolean {
  return /[A-Za-z0-9_-]/.test(String.fromCharCode(byte)) || (byte === DOT && at > 0);
}

const DOT = 0x2e;
const hexOf = (byte: number) => `~${byte.toString(16).toUpperCase().padStart(2, "0")}`;
