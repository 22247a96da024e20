import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingFile } from "@sluice/core/accept";
import { Fault } from "@sluice/core/domain/fault";
import { fileNameOf, lastParam, parseHeaderParams, utf8 } from "./header-params.ts";
import { multipartParts, type Part } from "./multipart.ts";
import { addField, type Fields } from "./query.ts";
import { type ByteSource, type RequestBytes, requestBytes, tooLarge } from "./request-bytes.ts";

export const MAX_FIELDS = 100;
export const MAX_FIELD_BYTES = 64 * 1_024;
export const MAX_FILES = 1_000;
/** The form field that holds files. */
export const FILE_FIELD = "file";
/** The longest an upload may be silent. */
const IDLE_MS = 60_000;
/** What boundaries, part headers and fields may add to the files of one form. */
const FORM_ROOM = 32 * 2 ** 20;

export interface UploadRules {
  /** The most bytes of all files of the request together. */
  readonly maxBytes: number;
  /** Form fields that may come beside the files. */
  readonly fields: readonly string[];
  /** Fields that the query gave already: the form may not give them again. */
  readonly given: Fields;
  /** Whether a body that is no form is taken as the bytes of one file. */
  readonly raw: boolean;
  /** The name of the one file, whatever the body says. A raw body without it needs a Content-Disposition. */
  readonly name: string | null;
  readonly idleMs?: number;
}

/** An upload's body as it arrives. Dispose it when the request is answered. */
export interface Upload extends Disposable {
  readonly signal: AbortSignal;
  readonly files: AsyncIterable<IncomingFile>;
  /** Fields of query and form; all of them once `files` has ended. */
  readonly fields: Fields;
  /** Bytes of the body that have arrived. */
  received(): number;
}

/**
 * Opens a multipart/form-data or raw body. Limits fail while the bytes stream. Throws (here or out of `files`)
 * `bad_multipart`, `missing_field`, `duplicate_field`, `unknown_field`, `invalid_field`, `too_large`, `timeout`, `aborted`,
 * `unsupported_media_type`.
 */
export function openUpload(req: IncomingMessage, res: ServerResponse, rules: UploadRules): Upload {
  const type = req.headers["content-type"] ?? "";
  const isForm = /^\s*multipart\//i.test(type);
  const boundary = isForm ? boundaryOf(type) : null;
  const rawName = boundary === null ? rawNameOf(req, rules, type) : null;
  const bytes = requestBytes(req, res, {
    maxBytes: rules.maxBytes + (boundary === null ? 0 : FORM_ROOM),
    statedLimit: rules.maxBytes,
    idleMs: rules.idleMs ?? IDLE_MS,
  });
  const fields = new Map(rules.given);
  return {
    signal: bytes.signal,
    fields,
    files: boundary === null ? rawFile(req, bytes, rawName ?? "", type) : formFiles(bytes, boundary, rules, fields),
    received: () => bytes.received(),
    [Symbol.dispose]: () => bytes[Symbol.dispose](),
  };
}

function boundaryOf(type: string): string {
  const header = parseHeaderParams(type);
  if (header?.value !== "multipart/form-data") {
    throw new Fault("unsupported_media_type", "Content-Type: must be multipart/form-data", { field: "Content-Type", value: type });
  }
  const boundary = lastParam(header, "boundary");
  if (boundary === null || boundary === "") {
    throw new Fault("bad_multipart", "Content-Type: names no boundary", { field: "boundary", value: type });
  }
  // RFC 2046 5.1.1 allows 70; a longer one is common enough to take, within reason.
  if (boundary.length > 200) throw new Fault("bad_multipart", "boundary: is longer than 200 characters", { field: "boundary", limit: 200 });
  return boundary;
}

function rawNameOf(req: IncomingMessage, rules: UploadRules, type: string): string {
  if (!rules.raw)
    throw new Fault("unsupported_media_type", "Content-Type: must be multipart/form-data", { field: "Content-Type", value: type });
  if (rules.name !== null) return rules.name;
  const sent = req.headers["content-disposition"];
  // Node reads headers as Latin-1; clients write UTF-8.
  const text = sent === undefined ? undefined : (utf8(Buffer.from(sent, "latin1")) ?? sent);
  const disposition = text === undefined ? null : parseHeaderParams(text);
  const name = disposition && fileNameOf(disposition);
  if (name) return name;
  throw new Fault("missing_field", "name: a raw body needs a file name, as ?name= or in Content-Disposition", { field: "name" });
}

async function* rawFile(req: IncomingMessage, source: RequestBytes, name: string, type: string): AsyncGenerator<IncomingFile> {
  const declared = req.headers["content-length"];
  yield { name, bytes: allOf(source), contentType: type || null, sizeHint: declared === undefined ? null : Number(declared) };
}

async function* allOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let chunk = await source.next(); chunk !== null; chunk = await source.next()) yield chunk;
}

async function* formFiles(
  source: ByteSource,
  boundary: string,
  rules: UploadRules,
  fields: Map<string, string>,
): AsyncGenerator<IncomingFile> {
  const count = { fields: 0, files: 0, bytes: 0 };
  for await (const part of multipartParts(source, boundary)) {
    const { name, fileName } = dispositionOf(part);
    if (name !== FILE_FIELD && fileName === null) {
      if (++count.fields > MAX_FIELDS) throw tooMany("fields", MAX_FIELDS);
      addField(fields, name, await fieldValue(part, name, rules.fields), rules.fields);
      continue;
    }
    if (name !== FILE_FIELD) {
      throw new Fault("unknown_field", `${name.slice(0, 100)}: files go into the field ${FILE_FIELD}`, { field: name, limit: FILE_FIELD });
    }
    const named = rules.name ?? fileName;
    if (named === null || named === "") {
      throw new Fault("missing_field", `filename: the part ${FILE_FIELD} has no file name`, { field: "filename" });
    }
    if (++count.files > MAX_FILES) throw tooMany("files", MAX_FILES);
    if (count.files > 1 && rules.name !== null) {
      throw new Fault("invalid_field", "name: names one file, and the form has several", { field: "name", value: rules.name });
    }
    yield {
      name: named,
      bytes: counted(part, count, rules.maxBytes),
      contentType: part.headers.get("content-type") ?? null,
      sizeHint: null,
    };
  }
}

function dispositionOf(part: Part): { readonly name: string; readonly fileName: string | null } {
  const encoding = part.headers.get("content-transfer-encoding")?.toLowerCase();
  if (encoding !== undefined && !["7bit", "8bit", "binary"].includes(encoding)) {
    throw new Fault("bad_multipart", `Content-Transfer-Encoding: must be binary, not ${encoding.slice(0, 100)} (RFC 7578, 4.7)`, {
      field: "Content-Transfer-Encoding",
      value: encoding,
    });
  }
  const sent = part.headers.get("content-disposition");
  const disposition = sent === undefined ? null : parseHeaderParams(sent);
  const name = disposition?.value === "form-data" ? lastParam(disposition, "name") : null;
  if (!disposition || name === null) {
    throw new Fault("bad_multipart", "Content-Disposition: every part needs one of the form form-data; name=…", {
      field: "Content-Disposition",
      value: sent ?? null,
    });
  }
  return { name, fileName: fileNameOf(disposition) };
}

async function fieldValue(part: Part, name: string, known: readonly string[]): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // An unknown field is refused before its value is read.
  if (!known.includes(name)) return "";
  for await (const chunk of part.bytes) {
    size += chunk.length;
    if (size > MAX_FIELD_BYTES) {
      throw new Fault("invalid_field", `${name}: is longer than ${MAX_FIELD_BYTES} bytes`, { field: name, limit: MAX_FIELD_BYTES });
    }
    chunks.push(chunk);
  }
  const text = utf8(Buffer.concat(chunks));
  if (text === null) throw new Fault("invalid_field", `${name}: is not UTF-8`, { field: name });
  return text;
}

async function* counted(part: Part, count: { bytes: number }, maxBytes: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of part.bytes) {
    count.bytes += chunk.length;
    if (count.bytes > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}

function tooMany(what: string, limit: number): Fault {
  return new Fault("bad_multipart", `the form has more than ${limit} ${what}`, { field: what, limit });
}
