import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Caller } from "@sluice/core/domain/access";

/** What is found out about one request on its way, for its log line and its answer. Never a key, a signature or a body. */
export interface Exchange {
  /** The client's X-Request-Id when it is sane, else a new uuid. */
  readonly id: string;
  readonly startedAtMs: number;
  /** The route's pattern, once one took the request. */
  route?: string;
  caller?: Caller;
  dataset?: string;
  sync?: number;
  /** Files accepted by this request. */
  files?: readonly string[];
  fault?: unknown;
  /** Set when the client left before an answer: called once the handler has found that out and come to its end. */
  afterLeaving?: () => void;
}

const exchanges = new WeakMap<IncomingMessage, Exchange>();
const SANE_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** The exchange of a request, made at first sight. */
export function exchangeOf(req: IncomingMessage): Exchange {
  const known = exchanges.get(req);
  if (known) return known;
  const given = req.headers["x-request-id"];
  const id = typeof given === "string" && SANE_ID.test(given) ? given : randomUUID();
  const exchange: Exchange = { id, startedAtMs: performance.now() };
  exchanges.set(req, exchange);
  return exchange;
}
