import type { Epoch, FileId, OrgId } from "./ids.ts";

/** Object keys. No other file builds one. `path` is a checked lake path with its leading slash. */

/** Raw bytes of an upload; `day` is the UTC day of arrival, so that retention can work by prefix. */
export function rawKey(org: OrgId, receivedAtMs: number, file: FileId): string {
  return `raw/${org}/${new Date(receivedAtMs).toISOString().slice(0, 10)}/${file}`;
}

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

/** A table's name as one key segment: everything but letters, digits, `_`, `-`, `.` percent-encoded, never `.` or `..`. */
export function tableSegment(table: string): string {
  const encoded = encodeURIComponent(table).replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return /^\.+$/.test(encoded) ? encoded.replaceAll(".", "%2E") : encoded;
}
