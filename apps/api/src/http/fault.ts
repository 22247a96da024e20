import type { ErrorRequestHandler, Request, Response } from "express";
import { Fault, type FaultCode, isFault } from "@sluice/core/domain/fault";
import { answerJson, type Headers } from "./answer.ts";
import { exchangeOf } from "./exchange.ts";

/** A fault as one surface writes it. */
export type FaultShape = (fault: Fault) => unknown;

/** What a platform fault's client is told: the cause may name hosts and users, so it goes to the log alone. */
const PLATFORM_MESSAGES: Partial<Record<FaultCode, string>> = {
  store_unavailable: "the object store cannot be reached just now; nothing was kept, try again",
  records_unavailable: "the records cannot be reached just now; nothing was kept, try again",
  queue_unavailable: "the queue cannot be reached just now; try again",
  disk_full: "the service has no room left; nothing was kept, try again later",
};

/** Anything thrown, as a fault that may be told. What is no fault is a bug: its text stays here. */
export function tellable(error: unknown, requestId: string): Fault {
  if (isFault(error)) {
    const message = PLATFORM_MESSAGES[error.code];
    return message === undefined ? error : new Fault(error.code, message);
  }
  // Express refuses a path whose percent-encoding is broken this way.
  if (error instanceof URIError) return new Fault("bad_request", "the address is not well percent-encoded");
  return new Fault("internal", `something went wrong in the service; request ${requestId} is in its log`);
}

/** Answers whatever a surface's routes throw, in that surface's shape. */
export function answerFaults(shape: FaultShape): ErrorRequestHandler {
  return (error: unknown, req: Request, res: Response, _next: unknown) => {
    answerFault(req, res, error, shape);
  };
}

export function answerFault(req: Request, res: Response, error: unknown, shape: FaultShape): void {
  const exchange = exchangeOf(req);
  exchange.fault = error;
  // Half an answer is out: cutting it short is the only way left to say that it is not whole.
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const fault = tellable(error, exchange.id);
  answerJson(req, res, fault.status, shape(fault), headersOf(fault));
}

function headersOf(fault: Fault): Headers {
  if (fault.code === "unauthorized") return { "WWW-Authenticate": "Bearer" };
  if (fault.code === "method_not_allowed") return { Allow: String(fault.detail.limit ?? "") };
  return fault.status === 503 || fault.code === "idempotency_running" ? { "Retry-After": 1 } : {};
}
