import type { IncomingMessage, ServerResponse } from "node:http";
import { exchangeOf } from "./exchange.ts";

/** How long, and for how many bytes, a client that was refused mid-body may go on sending before the connection is cut. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 32 * 2 ** 20;

export type Headers = Readonly<Record<string, string | number>>;

/** Sends JSON. Safe while the request's body still arrives: see `answerWhole`. */
export function answerJson(req: IncomingMessage, res: ServerResponse, status: number, value: unknown, headers: Headers = {}): void {
  answerWhole(req, res, status, JSON.stringify(value), { "Content-Type": "application/json; charset=utf-8", ...headers });
}

/**
 * Sends a whole answer. When the request's body has not all arrived, the answer goes out at once and the rest of the
 * body is read and dropped for a bounded while: closing a socket with unread bytes resets it, and the client would
 * see the reset instead of the answer.
 */
export function answerWhole(req: IncomingMessage, res: ServerResponse, status: number, body: string | Buffer, headers: Headers = {}): void {
  if (res.headersSent || res.destroyed) {
    exchangeOf(req).afterLeaving?.();
    return;
  }
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  res.setHeader("X-Request-Id", exchangeOf(req).id);
  const unread = !req.complete && hasBody(req);
  res.writeHead(status, {
    "Cache-Control": "no-store",
    ...headers,
    "Content-Length": bytes.length,
    ...(unread ? { Connection: "close" } : {}),
  });
  const sent = req.method === "HEAD" ? Buffer.alloc(0) : bytes;
  if (!unread) {
    res.end(sent);
    return;
  }
  // The declared length makes the answer whole for the client; only `end` would close the socket.
  res.write(sent.length > 0 ? sent : "");
  if (sent.length === 0) res.flushHeaders();
  linger(req, () => res.end());
}

function hasBody(req: IncomingMessage): boolean {
  return req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"] ?? 0) > 0;
}

function linger(req: IncomingMessage, done: () => void): void {
  let left = LINGER_BYTES;
  const stop = () => {
    clearTimeout(timer);
    req.off("data", count).off("end", stop).off("close", stop);
    req.pause();
    done();
  };
  const count = (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) stop();
  };
  const timer = setTimeout(stop, LINGER_MS);
  timer.unref();
  req.on("error", () => undefined);
  req.on("data", count).on("end", stop).on("close", stop);
  req.resume();
}
