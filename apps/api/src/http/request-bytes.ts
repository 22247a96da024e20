import type { IncomingMessage, ServerResponse } from "node:http";
import { Fault } from "@sluice/core/domain/fault";

/** Bytes asked for one chunk at a time; null at the end. Nothing is read ahead of the asking, so a slow reader slows the sender. */
export interface ByteSource {
  next(): Promise<Uint8Array | null>;
}

export interface RequestBytesOptions {
  /** The most bytes the whole body may have. */
  readonly maxBytes: number;
  /** What the refusal of a larger body names as its limit. */
  readonly statedLimit: number;
  /** What the refusal calls the body: `upload` unless said otherwise. */
  readonly what?: string;
  /** Longest wait for the client's next byte. */
  readonly idleMs: number;
}

/** A request's body as bytes, and the signal that says it will never be whole. Dispose it to let go of the request. */
export interface RequestBytes extends ByteSource, Disposable {
  /** Aborted, with a Fault as its reason, when the client hangs up, falls silent or sends too much. */
  readonly signal: AbortSignal;
  /** How many have been handed out. */
  received(): number;
}

/**
 * Reads a request's body by pulling. A stream's own async iterator would destroy the socket when left early, and with it
 * the refusal that the client should see. Throws `too_large`, `timeout`, `aborted`, `unsupported_media_type`.
 */
export function requestBytes(req: IncomingMessage, res: ServerResponse, options: RequestBytesOptions): RequestBytes {
  refuseEncoded(req);
  const declared = Number(req.headers["content-length"] ?? 0);
  if (declared > options.maxBytes) throw tooLarge(options.statedLimit, options.what);

  const abort = new AbortController();
  let failure: Fault | null = null;
  let ended = false;
  let wake: (() => void) | null = null;
  let total = 0;
  // Sent when the first byte is wanted: what is refused before that is never sent at all.
  let awaited = req.headers.expect?.toLowerCase() === "100-continue";
  const settle = () => {
    wake?.();
    wake = null;
  };
  const fail = (fault: Fault) => {
    if (failure || ended) return;
    failure = fault;
    abort.abort(fault);
    settle();
  };
  const onEnd = () => {
    ended = true;
    settle();
  };
  const onGone = () => {
    if (!req.complete || req.destroyed) fail(new Fault("aborted", "the client closed the connection before the body was whole"));
    settle();
  };
  const idle = setTimeout(() => {
    if (wake)
      fail(new Fault("timeout", `no byte of the body came for ${options.idleMs / 1_000} seconds`, { limit: options.idleMs / 1_000 }));
    else idle.refresh();
  }, options.idleMs);
  idle.unref();
  req.on("readable", settle).on("end", onEnd).on("error", onGone).on("close", onGone);

  return {
    signal: abort.signal,
    received: () => total,
    async next() {
      if (awaited) res.writeContinue();
      awaited = false;
      for (;;) {
        if (failure) throw failure;
        const chunk = req.read() as Buffer | null;
        if (chunk !== null) {
          total += chunk.length;
          idle.refresh();
          if (total > options.maxBytes) {
            const fault = tooLarge(options.statedLimit, options.what);
            fail(fault);
            throw fault;
          }
          return chunk;
        }
        if (ended || req.readableEnded) return null;
        if (req.destroyed) onGone();
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    [Symbol.dispose]() {
      clearTimeout(idle);
      req.off("readable", settle).off("end", onEnd).off("error", onGone).off("close", onGone);
      // A late ECONNRESET has nobody else to hear it.
      req.on("error", () => undefined);
      if (!ended) fail(new Fault("aborted", "the body was left before its end"));
    },
  };
}

/** The refusal of a body or file over the limit. */
export function tooLarge(limit: number, what = "upload"): Fault {
  return new Fault("too_large", `the ${what} is larger than ${limit} bytes, the most this service takes in one request`, { limit });
}

function refuseEncoded(req: IncomingMessage): void {
  const encoding = req.headers["content-encoding"];
  if (encoding === undefined || encoding.toLowerCase() === "identity") return;
  throw new Fault("unsupported_media_type", "Content-Encoding: must be identity; send compressed files as files, they are recognised", {
    field: "Content-Encoding",
    value: encoding,
  });
}
