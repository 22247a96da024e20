import type { ConvertLimits, ConvertRequest, Detected } from "../ports/converter.ts";
import { decode, type DecodedChunk, randomAccess } from "../formats/decompress.ts";
import { detect, type Found } from "../formats/detect.ts";
import type { Dialect, FormatLimits, OpenedFile } from "../formats/format.ts";
import { badRowRule } from "./bad-row-rule.ts";
import { formatFor } from "../formats/registry.ts";
import type { Source } from "../formats/source.ts";

/** How much is read at a time. */
const CHUNK_BYTES = 512 * 1024;

/** Finds out what a file is. Throws content faults as `detect` does. */
export function recognize(request: ConvertRequest, source: Source): Promise<Found> {
  return detect(request.name, request.options, source);
}

/** Opens a tabular file: its tables, columns and batches. Throws content faults as its format does. */
export function open(found: Found, request: ConvertRequest, source: Source): Promise<OpenedFile> {
  const format = formatFor(found.format);
  if (format === null) throw new Error(`no format reads ${found.format}`);
  const limits = formatLimits(request.limits);
  const { compression } = found;
  if (compression === "zip") throw new Error("no zip is read yet");
  return format.open({
    name: found.format,
    decoded: () => decode(source, compression, limits),
    random: () => randomAccess(source, compression, limits),
    rawSize: source.size,
    options: request.options,
    limits,
    ragged: raggedRule(request),
  });
}

/** The file's bytes beneath its compression, as often as it is called. */
export function decodedBytes(found: Found, request: ConvertRequest, source: Source): AsyncIterable<DecodedChunk> {
  if (found.compression === "zip") throw new Error("no zip is read yet");
  return decode(source, found.compression, formatLimits(request.limits));
}

function raggedRule(request: ConvertRequest): "misfit" | "fill" | "fail" {
  const said = request.options.ragged;
  if (said === undefined) return badRowRule(request) === "coerce" ? "fill" : "misfit";
  // A file that is made again was accepted before.
  return said === "fill" ? "fill" : said === "fail" && request.mode === "load" ? "fail" : "misfit";
}

function formatLimits(limits: ConvertLimits): FormatLimits {
  const { partBytes: _, ...reading } = limits;
  return { ...reading, chunkBytes: CHUNK_BYTES };
}

/** What was found out about a file, for its record. */
export function detectedOf(found: Found, dialect: Dialect): Detected {
  return { format: found.format, compression: found.compression, ...dialect, by: found.by };
}
