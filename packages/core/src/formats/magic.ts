import { isUtf8 } from "node:buffer";
import { looksLikeArrowStream } from "./arrow/looks-like.ts";
import { cutOff } from "./utf8-text.ts";

/** What a file's first bytes say it is. */
export interface Magic {
  readonly name: string;
  readonly contentType: string;
  /** The format or compression of ours that it is, where it is one. */
  readonly is: "parquet" | "arrow" | "feather" | "orc" | "xlsx" | "ole2" | "gzip" | "bz2" | "xz" | "zstd" | "zip" | "other";
}

interface Signature extends Magic {
  readonly bytes: string;
  readonly at?: number;
}

/** Latin-1 text of the signatures, at offset 0 unless said otherwise. The first that matches counts. */
const SIGNATURES: readonly Signature[] = [
  { name: "Parquet", bytes: "PAR1", is: "parquet", contentType: "application/vnd.apache.parquet" },
  { name: "encrypted Parquet", bytes: "PARE", is: "parquet", contentType: "application/vnd.apache.parquet" },
  { name: "an Arrow file", bytes: "ARROW1", is: "arrow", contentType: "application/vnd.apache.arrow.file" },
  { name: "a Feather file", bytes: "FEA1", is: "feather", contentType: "application/octet-stream" },
  { name: "ORC", bytes: "ORC", is: "orc", contentType: "application/x-orc" },
  { name: "an OLE2 document", bytes: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", is: "ole2", contentType: "application/x-ole-storage" },
  { name: "gzip", bytes: "\x1f\x8b", is: "gzip", contentType: "application/gzip" },
  { name: "bzip2", bytes: "BZh", is: "bz2", contentType: "application/x-bzip2" },
  { name: "xz", bytes: "\xfd7zXZ\x00", is: "xz", contentType: "application/x-xz" },
  { name: "zstd", bytes: "\x28\xb5\x2f\xfd", is: "zstd", contentType: "application/zstd" },
  // A stream may begin with a frame to skip: 0x184D2A50 to 5F, of which this is all but the first byte.
  { name: "zstd", bytes: "\x2a\x4d\x18", at: 1, is: "zstd", contentType: "application/zstd" },
  { name: "a zip archive", bytes: "PK\x03\x04", is: "zip", contentType: "application/zip" },
  { name: "an empty zip archive", bytes: "PK\x05\x06", is: "zip", contentType: "application/zip" },
  { name: "a JPEG image", bytes: "\xff\xd8\xff", is: "other", contentType: "image/jpeg" },
  { name: "a PNG image", bytes: "\x89PNG\r\n\x1a\n", is: "other", contentType: "image/png" },
  { name: "a GIF image", bytes: "GIF8", is: "other", contentType: "image/gif" },
  { name: "a TIFF image", bytes: "II*\x00", is: "other", contentType: "image/tiff" },
  { name: "a TIFF image", bytes: "MM\x00*", is: "other", contentType: "image/tiff" },
  { name: "a WebP image", bytes: "WEBP", at: 8, is: "other", contentType: "image/webp" },
  { name: "a PDF document", bytes: "%PDF-", is: "other", contentType: "application/pdf" },
  { name: "a video", bytes: "ftyp", at: 4, is: "other", contentType: "video/mp4" },
  { name: "Ogg media", bytes: "OggS", is: "other", contentType: "application/ogg" },
  { name: "a 7z archive", bytes: "7z\xbc\xaf\x27\x1c", is: "other", contentType: "application/x-7z-compressed" },
  { name: "a RAR archive", bytes: "Rar!\x1a\x07", is: "other", contentType: "application/vnd.rar" },
  { name: "a tar archive", bytes: "ustar", at: 257, is: "other", contentType: "application/x-tar" },
  { name: "an SQLite database", bytes: "SQLite format 3\x00", is: "other", contentType: "application/vnd.sqlite3" },
  { name: "an HDF5 file", bytes: "\x89HDF\r\n\x1a\n", is: "other", contentType: "application/x-hdf5" },
  { name: "an Avro file", bytes: "Obj\x01", is: "other", contentType: "application/avro" },
  { name: "an ELF program", bytes: "\x7fELF", is: "other", contentType: "application/x-elf" },
];

const ARROW_STREAM: Magic = { name: "an Arrow stream", is: "arrow", contentType: "application/vnd.apache.arrow.stream" };

/** What the head of a file is, or null where no signature matches. 512 bytes are enough but for an xlsx among zips. */
export function magicOf(head: Uint8Array): Magic | null {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 4096)).toString("latin1");
  const found = SIGNATURES.find(({ bytes, at = 0 }) => text.startsWith(bytes, at) && (at !== 1 || /^[P-_]/.test(text)));
  if (!found) return looksLikeArrowStream(head) ? ARROW_STREAM : null;
  // A csv may begin with ORCID or PAR1,PAR2: a signature of plain letters counts only where the rest is no plain text.
  if (/^[\x20-\x7e]+$/.test(found.bytes) && found.bytes !== "%PDF-" && isPlainText(head)) return null;
  // The parts of a workbook lie under xl/; its first member is [Content_Types].xml or _rels/.rels.
  if (found.is === "zip" && /PK\x03\x04.{26}xl\//s.test(text)) {
    return { name: "an Excel workbook", is: "xlsx", contentType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" };
  }
  return found;
}

/** The name of a zip's first member, or null. Local file header: name length at 26, name at 30 (APPNOTE 4.3.7). */
export function firstZipMember(head: Uint8Array): string | null {
  const view = Buffer.from(head.buffer, head.byteOffset, head.length);
  if (view.length < 30 || view.readUInt32LE(0) !== 0x04034b50) return null;
  return view.subarray(30, 30 + view.readUInt16LE(26)).toString("utf8");
}

const MARKUP = /^(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script|\?xml|svg)[\s>]/is;
/** XML without a declaration: an element in an element. One alone may be a column's name. */
const ELEMENTS = /^<[a-z_][\w:.-]*(?:\s[^<>]*)?>\s*<[a-z_!]/i;

/** HTML or XML, which servers send in place of the file that was asked for. */
export function isMarkup(head: Uint8Array): boolean {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 4096)).toString("utf8");
  const body = text.replace(/^\ufeff?\s*/, "");
  return MARKUP.test(body) || ELEMENTS.test(body);
}

/** A whole text that is one JSON object, or a list that holds objects: what servers answer in place of a file too. */
export function isJsonText(text: string): boolean {
  const body = text.replace(/^\ufeff/, "");
  if (!/^\s*(?:\{|\[\s*\{)/.test(body)) return false;
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

/** True when the head is valid UTF-8 (but for a character cut at its end) without control characters. */
export function isPlainText(head: Uint8Array): boolean {
  const whole = head.subarray(0, head.length - cutOff(head));
  return isUtf8(whole) && !/[\x00-\x08\x0e-\x1f\x7f]/.test(Buffer.from(whole.buffer, whole.byteOffset, whole.length).toString("latin1"));
}
