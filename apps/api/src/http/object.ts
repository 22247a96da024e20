import { pipeline } from "node:stream/promises";
import type { Request, Response } from "express";
import { Fault } from "@sluice/core/domain/fault";
import type { ObjectStore } from "@sluice/core/ports/object-store";
import type { Headers } from "./answer.ts";
import { exchangeOf } from "./exchange.ts";

/** Headers of a download: never shown in a page, never guessed at by a browser. */
export function attachment(name: string): Headers {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const extended = encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return {
    "Content-Disposition": `attachment; filename="${ascii}"; filename*=UTF-8''${extended}`,
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
  };
}

/** Streams one object, or the one range of it that was asked for. Throws `not_found`. */
export async function sendObject(
  req: Request,
  res: Response,
  objects: ObjectStore,
  object: { readonly key: string; readonly name: string; readonly type: string },
): Promise<void> {
  const head = await objects.head(object.key);
  if (!head) throw new Fault("not_found", "there is no such object any more");
  // If-Range would need a validator, and there is none: the whole object is the right answer to it.
  const range = req.headers["if-range"] === undefined ? rangeOf(req.headers.range, head.bytes) : null;
  const headers = {
    ...attachment(object.name),
    "Content-Type": object.type,
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-store",
    "X-Request-Id": exchangeOf(req).id,
  };
  if (range === "unsatisfiable") {
    res.writeHead(416, { ...headers, "Content-Range": `bytes */${head.bytes}`, "Content-Length": 0 }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: head.bytes };
  const whole = { ...headers, "Content-Length": end - start };
  if (req.method === "HEAD" || end === start) {
    res.writeHead(range ? 206 : 200, whole).end();
    return;
  }
  const bytes = await objects.get(object.key, { start, end });
  res.writeHead(range ? 206 : 200, range ? { ...whole, "Content-Range": `bytes ${start}-${end - 1}/${head.bytes}` } : whole);
  await pipeline(bytes, res).catch((error: unknown) => {
    // A client that leaves early is no fault of the service.
    if ((error as { code?: unknown } | null)?.code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  });
}

/** The range of a `bytes=` header (end exclusive); null: all of it, also for several ranges or another unit (RFC 9110, 14.2). */
export function rangeOf(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | "unsatisfiable" | null {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  if (!found || (found[1] === "" && found[2] === "")) return null;
  if (found[1] === "") {
    const length = Math.min(Number(found[2]), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(found[1]);
  const last = found[2] === "" ? size - 1 : Math.min(Number(found[2]), size - 1);
  if (found[2] !== "" && Number(found[2]) < start) return null;
  return start >= size ? "unsatisfiable" : { start, end: last + 1 };
}
