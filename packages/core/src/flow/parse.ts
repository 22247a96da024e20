import type { ConvertLimits, ConvertRequest } from "../ports/converter.ts";
import { decode, randomAccess } from "../formats/decompress.ts";
import { detect, type Found } from "../formats/detect.ts";
import type { OpenedFile } from "../formats/format.ts";
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
  return format.open({
    name: found.format,
    decoded: () => decode(source, found.compression, limits),
    random: () => randomAccess(source, found.compression, limits),
    rawSize: source.size,
    options: request.options,
    limits,
    ragged:
      request.rules.onBadRow === "coerce" || (request.rules.policy === "coerce" && request.rules.onBadRow !== "strict") ? "fill" : "misfit",
  });
}

function formatLimits(limits: ConvertLimits) {
  const { decodedBytes, ratio, recordBytes, columns } = limits;
  return { decodedBytes, ratio, recordBytes, columns, chunkBytes: CHUNK_BYTES };
}
