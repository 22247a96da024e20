import type { ConvertLimits, ConvertRequest, Detected } from "../ports/converter.ts";
import { decode, type DecodedChunk, randomAccess, refuseBomb } from "../formats/decompress.ts";
import { detect, type Found } from "../formats/detect.ts";
import { flattenTable } from "../formats/flatten.ts";
import type { Dialect, FormatInput, FormatLimits, OpenedFile } from "../formats/format.ts";
import { badRowRule } from "./bad-row-rule.ts";
import { formatFor } from "../formats/registry.ts";
import type { Source } from "../formats/source.ts";
import { openZip, zipBytes } from "../formats/zip-tables.ts";
import { USUAL_HOW } from "./run.ts";
import { arrangeTables } from "./tables.ts";

/** The step in which a codec decodes: chunks of it are looked at and dropped without being joined. */
const PROBE_BYTES = 128 * 1024;

/** Finds out what a file is. Throws content faults as `detect` does. */
export function recognize(request: ConvertRequest, source: Source): Promise<Found> {
  return detect(request.name, request.options, source, formatLimits(request.limits));
}

/** Opens a tabular file: its tables as the option `tables` wants them. Throws content faults as its format does. */
export async function open(found: Found, request: ConvertRequest, source: Source, chunkBytes = USUAL_HOW.chunkBytes): Promise<OpenedFile> {
  const limits = { ...formatLimits(request.limits), chunkBytes };
  const input = { rawSize: source.size, options: request.options, limits, ragged: raggedRule(request) };
  const file = found.zip ? await openZip(found.zip, input) : await openPlain(found, source, input);
  const tables = request.options.nested === "flatten" ? file.tables.map(flattenTable) : file.tables;
  return await arrangeTables({ ...file, tables }, request.options.tables);
}

async function openPlain(found: Found, source: Source, input: Omit<FormatInput, "name" | "decoded" | "random">): Promise<OpenedFile> {
  const { format: name, compression } = found;
  const format = formatFor(name);
  if (format === null || compression === "zip") throw new Error(`no format reads ${name} of ${compression}`);
  const decoded = () => decode(source, compression, input.limits);
  if (compression !== "none") await refuseBomb(decode(source, compression, { ...input.limits, chunkBytes: PROBE_BYTES }), input.limits);
  return await format.open({
    ...input,
    name,
    decoded,
    random: () => randomAccess(source, compression, input.limits),
  });
}

/** The file's bytes beneath its compression, as often as it is called; of a zip those of all its members. */
export function decodedBytes(found: Found, request: ConvertRequest, source: Source): AsyncIterable<DecodedChunk> {
  const limits = formatLimits(request.limits);
  if (found.zip) return zipBytes(found.zip, limits);
  if (found.compression === "zip") throw new Error("a zip without members");
  return decode(source, found.compression, limits);
}

function raggedRule(request: ConvertRequest): "misfit" | "fill" | "fail" {
  const said = request.options.ragged;
  if (said === undefined) return badRowRule(request) === "coerce" ? "fill" : "misfit";
  // A file that is made again was accepted before.
  return said === "fill" ? "fill" : said === "fail" && request.mode === "load" ? "fail" : "misfit";
}

function formatLimits(limits: ConvertLimits): FormatLimits {
  const { partBytes: _, ...reading } = limits;
  return { ...reading, chunkBytes: USUAL_HOW.chunkBytes };
}

/** What was found out about a file, for its record. */
export function detectedOf(found: Found, dialect: Dialect): Detected {
  return { format: found.format, compression: found.compression, ...dialect, by: found.by };
}
