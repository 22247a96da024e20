import { Fault, isFault } from "../domain/fault.ts";
import type { FileOptions, FormatName } from "../domain/options.ts";
import { decodeBeneath, decodeHead, headOf } from "./decompress.ts";
import {
  checkCompressionOption,
  type Content,
  contentTypeFor,
  detectContent,
  detectHeads,
  type FoundContent,
  type Heads,
  notYet,
  opaque,
  readHeads,
} from "./detect-content.ts";
import { type NamedAs, namedAs } from "./file-name.ts";
import type { FormatLimits } from "./format.ts";
import { firstZipMember } from "./magic.ts";
import { formatFor } from "./registry.ts";
import type { Source } from "./source.ts";
import { tabularMembers, type ZipMember } from "./zip-members.ts";
import { type ZipEntry, ZipReader } from "./zip-reader.ts";

/** What a file is taken for. Of a zip of tabular files the format is its first member's. */
export interface Found extends FoundContent {
  readonly zip?: { readonly reader: ZipReader; readonly members: readonly ZipMember[] };
}

/**
 * Tells what a file is: a declared format, else magic bytes, else the name's extension, each also beneath a compression. What is
 * none of them is opaque. Throws `format_mismatch` when the content contradicts what was declared (a tabular extension
 * declares), `unsupported_format` for tabular files that cannot be read yet, `unreadable` for an empty tabular file, and what
 * is wrong with a zip that was declared to hold tables.
 */
export async function detect(name: string, options: FileOptions, source: Source, limits: FormatLimits): Promise<Found> {
  const heads = await readHeads(
    {
      size: source.size,
      head: (length) => source.read(0, length),
      beneath: (compression, length) => decodeHead(source, compression, length),
    },
    options,
  );
  const named = namedAs(name);
  if (heads.outer?.is !== "zip" || options.format === "opaque") return detectHeads(heads, named, options);
  checkCompressionOption(options, heads);
  return await detectZip(heads, named, options, source, limits);
}

/** A zip is a workbook by its parts, a container of tabular files where its name or an option says so, or opaque. */
async function detectZip(heads: Heads, named: NamedAs, options: FileOptions, source: Source, limits: FormatLimits): Promise<Found> {
  const declared = options.format ?? named.format;
  // What is wrong with a workbook is told by its reader.
  if (isSheets(declared) && named.compression !== "zip" && options.compression !== "zip") return detectHeads(heads, named, options);
  const isContainer = declared !== null || named.compression === "zip" || options.compression === "zip";
  // A docx or a jar is none of our business, whatever lies in it.
  if (!isContainer && named.extension !== "") return opaque(heads, named, "magic");
  const zip = await openZip(heads, source, limits, declared !== null || options.compression === "zip");
  if (zip === null) return opaque(heads, named, "magic");
  if (isWorkbook(zip)) return workbook(heads, named, options);
  if (options.compression === "none") return detectHeads(heads, named, options);
  if (!isContainer) return opaque(heads, named, "magic");
  const members = await tabularMembers(zip, declared ?? undefined, (entry, format) => detectEntry(zip, entry, format, options, limits));
  const [first] = members;
  if (first === undefined) {
    if (declared === null && options.compression !== "zip") return opaque(heads, named, "magic");
    throw new Fault("unreadable", "the zip holds no tabular file", { field: "compression", value: "zip" });
  }
  zip.checkClaims(members.map(({ entry }) => entry));
  const by = options.format === undefined ? first.found.by : "option";
  return { format: first.found.format, compression: "zip", by, contentType: contentTypeFor(heads, named), zip: { reader: zip, members } };
}

const WORKBOOK = {
  name: "an Excel workbook",
  is: "xlsx",
  contentType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
} as const;

/** Null for a zip that cannot be read and was not said to hold tables: it is kept as it is. */
async function openZip(heads: Heads, source: Source, limits: FormatLimits, declared: boolean): Promise<ZipReader | null> {
  try {
    return await ZipReader.open(source, limits);
  } catch (error) {
    if (declared || !isFault(error) || error.blame !== "content") throw error;
    if (namedAs(firstZipMember(heads.raw) ?? "").format !== null) throw error;
    return null;
  }
}

/** ECMA-376: a workbook's parts lie under xl/ by every writer's habit; that of the older binary form is workbook.bin. */
function isWorkbook(zip: ZipReader): boolean {
  const names = zip.entries.map(({ name }) => name.toLowerCase());
  return (
    names.includes("[content_types].xml") && names.some((name) => name === "xl/workbook.xml" || /^xl\/worksheets\/.+\.xml$/.test(name))
  );
}

const isSheets = (format: FormatName | null) => format === "xlsx" || format === "xls";

function workbook(heads: Heads, named: NamedAs, options: FileOptions): Found {
  if (options.compression === "zip") {
    throw new Fault("format_mismatch", "compression is declared as zip, but the file is an Excel workbook", {
      field: "compression",
      value: "zip",
    });
  }
  const told = { ...heads, magic: WORKBOOK, outer: WORKBOOK };
  if (options.format !== undefined || named.format !== null) return detectHeads(told, named, options);
  if (formatFor("xlsx") === null) throw notYet("xlsx");
  return { format: "xlsx", compression: "none", by: "magic", contentType: contentTypeFor(told, named) };
}

async function detectEntry(
  zip: ZipReader,
  entry: ZipEntry,
  format: FormatName | undefined,
  options: FileOptions,
  limits: FormatLimits,
): Promise<Found> {
  const content: Content = {
    size: entry.bytes,
    head: (length) => zip.head(entry, length),
    beneath: (compression, length) => headOf(decodeBeneath({}, zip.read(entry), compression, limits, zip.budget), length),
  };
  const { encoding } = options;
  const own = { ...(format === undefined ? {} : { format }), ...(encoding === undefined ? {} : { encoding }) };
  return await detectContent(entry.name, own, content);
}
