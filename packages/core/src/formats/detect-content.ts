import { Fault } from "../domain/fault.ts";
import type { CompressionName, FileOptions, FormatName } from "../domain/options.ts";
import type { StreamCompression } from "./decompress.ts";
import { contentTypeOf, type NamedAs, namedAs } from "./file-name.ts";
import { isJsonText, isMarkup, isPlainText, type Magic, magicOf } from "./magic.ts";
import { consistentDelimiter } from "./sniff.ts";
import { formatFor } from "./registry.ts";
import { utf16Without } from "./text-encoding.ts";
import { hasUtf16Mark } from "./utf8-text.ts";

/** What a file is taken for, and how that was told. */
export interface FoundContent {
  readonly format: FormatName;
  readonly compression: CompressionName;
  readonly by: "option" | "magic" | "extension" | "content";
  readonly contentType: string;
}

/** What is looked at of a file, or of a member of a zip: its first bytes, and those of what it holds compressed. */
export interface Content {
  readonly size: number;
  head(length: number): Promise<Uint8Array>;
  beneath(compression: Exclude<StreamCompression, "none">, length: number): Promise<Uint8Array>;
}

/** The first bytes of a file, and of what a compressed one holds. */
export interface Heads {
  readonly size: number;
  readonly raw: Uint8Array;
  readonly inner: Uint8Array;
  readonly outer: Magic | null;
  /** What lies beneath the compression; the outer magic itself where there is none. */
  readonly magic: Magic | null;
  readonly compression: StreamCompression;
  /** A text in UTF-16, in which a NUL is nothing odd. */
  readonly utf16: boolean;
}

const HEAD_BYTES = 64 * 1024;

/** As `detect`, for what is no zip; a zip is opaque unless it is declared to be a workbook. */
export async function detectContent(name: string, options: FileOptions, content: Content): Promise<FoundContent> {
  return detectHeads(await readHeads(content, options), namedAs(name), options);
}

export function detectHeads(heads: Heads, named: NamedAs, options: FileOptions): FoundContent {
  if (options.format === "opaque") return opaque(heads, named, "option");
  checkCompressionOption(options, heads);
  const declared = options.format ?? named.format;
  if (declared !== null) return declaredAs(declared, options.format === undefined ? "extension" : "option", heads, named);
  return undeclared(heads, named);
}

export async function readHeads(content: Content, options: FileOptions): Promise<Heads> {
  const raw = await content.head(HEAD_BYTES);
  const outer = magicOf(raw);
  const compression = streamOf(outer);
  const inner = compression === "none" ? raw : await content.beneath(compression, HEAD_BYTES);
  const utf16 = hasUtf16Mark(inner) || utf16Without(inner) !== null || (options.encoding?.startsWith("utf-16") ?? false);
  return { size: content.size, raw, inner, outer, magic: compression === "none" ? outer : magicOf(inner), compression, utf16 };
}

function streamOf(magic: Magic | null): StreamCompression {
  const compression = compressionOf(magic);
  return compression === "zip" ? "none" : compression;
}

export function checkCompressionOption(options: FileOptions, heads: Heads): void {
  const said = options.compression;
  if (said === undefined) return;
  const is = compressionOf(heads.outer);
  if (said === is) return;
  // Formats with a container of their own (xlsx is a zip) are not compressed files.
  if (said === "none" && is === "zip") return;
  const found = heads.outer?.name ?? "something else";
  throw new Fault("format_mismatch", `compression is declared as ${said}, but the file is ${found}`, { field: "compression", value: said });
}

function compressionOf(magic: Magic | null): CompressionName {
  switch (magic?.is) {
    case "gzip":
    case "bz2":
    case "xz":
    case "zstd":
    case "zip":
      return magic.is;
    case undefined:
    case "parquet":
    case "arrow":
    case "feather":
    case "orc":
    case "xlsx":
    case "ole2":
    case "other":
      return "none";
  }
}

/** The format is known from an option or a tabular extension; the content must fit it. */
function declaredAs(
  format: Exclude<FormatName, "opaque"> | FormatName,
  by: "option" | "extension",
  heads: Heads,
  named: NamedAs,
): FoundContent {
  const what = by === "option" ? `format is declared as ${format}` : `the name says ${format}`;
  if (heads.size === 0) throw new Fault("unreadable", `${what}, but the file is empty (0 bytes)`, { value: 0 });
  const compression = compressionOf(heads.outer);
  const ownContainer = (format === "xlsx" || format === "xls") && (compression === "zip" || heads.outer?.is === "xlsx");
  checkFits(format, what, heads);
  if (formatFor(format) === null) throw notYet(format);
  return { format, compression: ownContainer ? "none" : compression, by, contentType: contentTypeFor(heads, named) };
}

/** The fault of a format that is known by name only. */
export function notYet(what: string): Fault {
  return new Fault("unsupported_format", `${what} is not yet supported: send it as csv or Parquet`, { field: "format", value: what });
}

/** Magic bytes that each format has, where it has any. */
const OWN_MAGIC: Readonly<Partial<Record<FormatName, readonly Magic["is"][]>>> = {
  parquet: ["parquet"],
  arrow: ["arrow"],
  feather: ["arrow", "feather"],
  orc: ["orc"],
  xls: ["ole2", "xlsx", "zip"],
  // A workbook with a password is an OLE2 document.
  xlsx: ["xlsx", "zip", "ole2"],
};

function checkFits(format: FormatName, what: string, heads: Heads): void {
  const refuse = (found: string): never => {
    throw new Fault("format_mismatch", `${what}, but the content is ${found}`, { field: "format", value: found });
  };
  const own = OWN_MAGIC[format];
  const { magic, inner } = heads;
  if (heads.compression !== "none" && inner.length === 0) return; // an empty or broken stream: reading it says which
  if (own) {
    // Arrow streams and BIFF2 workbooks have no magic bytes: only what is plainly another thing contradicts them.
    const must = format === "parquet" || format === "orc" || format === "xlsx";
    if (magic ? !own.includes(magic.is) : must) refuse(magic?.name ?? (isMarkup(inner) ? "HTML or XML" : `no ${format} file`));
    if (!magic && isMarkup(inner)) refuse("HTML or XML");
    return;
  }
  if (magic) refuse(magic.name);
  if (isMarkup(inner)) refuse("HTML or XML");
  if (inner.includes(0) && !heads.utf16) refuse(`binary (a NUL at byte ${inner.indexOf(0)})`);
  if (format !== "json" && format !== "ndjson" && isWhole(heads) && isJsonText(textOf(inner))) refuse("JSON");
}

function undeclared(heads: Heads, named: NamedAs): FoundContent {
  const { magic, compression } = heads;
  if (magic?.is === "parquet" || magic?.is === "arrow" || magic?.is === "orc" || magic?.is === "feather") {
    if (formatFor(magic.is) === null) throw notYet(magic.is);
    return { format: magic.is, compression, by: "magic", contentType: contentTypeFor(heads, named) };
  }
  // Office documents are zips too: only a workbook that is named as nothing else is a table.
  if (magic?.is === "xlsx" && named.extension === "" && named.compression === "none") {
    if (formatFor("xlsx") === null) throw notYet("xlsx");
    return { format: "xlsx", compression, by: "magic", contentType: contentTypeFor(heads, named) };
  }
  if (named.txt && !magic && isTable(heads)) return { format: "csv", compression, by: "content", contentType: "text/plain" };
  return opaque(heads, named, magic ? "magic" : "extension");
}

/** A .txt is a csv when its head is plain text in records of one width. */
function isTable(heads: Heads): boolean {
  if (!isPlainText(heads.inner) || isMarkup(heads.inner)) return false;
  return consistentDelimiter(textOf(heads.inner).replace(/^\ufeff/, ""), isWhole(heads)) !== null;
}

/** Whether the head is all there is. */
function isWhole({ compression, inner, size }: Heads): boolean {
  return compression !== "none" ? inner.length < HEAD_BYTES : inner.length === size;
}

function textOf(head: Uint8Array): string {
  return Buffer.from(head.buffer, head.byteOffset, head.length).toString("utf8");
}

export function opaque(heads: Heads, named: NamedAs, by: FoundContent["by"]): FoundContent {
  return { format: "opaque", compression: "none", by, contentType: contentTypeFor(heads, named) };
}

export function contentTypeFor(heads: Heads, named: NamedAs): string {
  const { outer } = heads;
  const byName = contentTypeOf(named.extension);
  // A docx is a zip: the name knows more than the bytes do.
  if (outer && !((outer.is === "zip" || outer.is === "ole2") && byName !== null)) return outer.contentType;
  if (byName !== null && named.compression === "none") return byName;
  if (isMarkup(heads.raw)) return "text/html";
  return heads.size > 0 && isPlainText(heads.raw) ? "text/plain" : "application/octet-stream";
}
