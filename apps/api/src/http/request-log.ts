import type { IncomingMessage, ServerResponse } from "node:http";
import { FAULTS, isFault } from "@sluice/core/domain/fault";
import type { Logger } from "pino";
import { exchangeOf } from "./exchange.ts";

/** Told of each request once it is over. */
export type RequestObserver = (seen: {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}) => void;

/**
 * Logs a request once, when its answer is out, or its client gone and its handler at its end: ids and the path, never headers, query or body,
 * where keys and signatures are.
 */
export function logRequest(log: Logger, observe: RequestObserver, req: IncomingMessage, res: ServerResponse): void {
  const exchange = exchangeOf(req);
  const write = () => {
    const seconds = (performance.now() - exchange.startedAtMs) / 1_000;
    const { fault } = exchange;
    const line = {
      request: exchange.id,
      method: req.method,
      path: (req.url === undefined ? "" : pathOnly(req)).slice(0, 500),
      peer: (req as { ip?: string }).ip,
      status: res.headersSent ? res.statusCode : null,
      ms: Math.round(seconds * 1_000),
      ...(exchange.caller ? { org: exchange.caller.org, key: exchange.caller.keyId } : {}),
      ...(exchange.dataset === undefined ? {} : { dataset: exchange.dataset }),
      ...(exchange.sync === undefined ? {} : { sync: exchange.sync }),
      ...(exchange.files === undefined ? {} : { files: exchange.files.slice(0, 20) }),
      ...faultFields(fault),
    };
    observe({ method: req.method ?? "", route: exchange.route ?? "none", status: res.headersSent ? res.statusCode : 499, seconds });
    if (fault !== undefined && !isFault(fault)) log.error({ ...line, err: fault }, "request failed: a bug");
    else if (isFault(fault) && fault.blame === "platform") log.error({ ...line, err: fault }, "request failed");
    else log.info(line, "request");
  };
  res.once("close", () => {
    if (res.headersSent) write();
    else exchange.afterLeaving = write;
  });
}

function faultFields(fault: unknown): object {
  if (!isFault(fault)) return {};
  const kind = FAULTS[fault.code];
  return { fault: fault.code, why: fault.toRecord().message, ...("hint" in kind ? { hint: kind.hint } : {}) };
}

function pathOnly(req: IncomingMessage): string {
  const url = (req as { originalUrl?: string }).originalUrl ?? req.url ?? "";
  return url.split("?", 1)[0] ?? "";
}
