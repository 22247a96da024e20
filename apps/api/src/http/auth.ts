import type { IncomingMessage } from "node:http";
import type { Caller } from "@sluice/core/domain/access";
import { Fault } from "@sluice/core/domain/fault";
import type { OrgId } from "@sluice/core/domain/ids";
import type { Access } from "@sluice/core/manage/access";
import { exchangeOf } from "./exchange.ts";

const OPEN_CALLER: Caller = { org: 0 as OrgId, keyId: null, scopes: ["upload", "read"] };
const FORWARDING = new Set(["forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"]);
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
const LOOPBACK_PEER = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/;

export interface AuthOptions {
  /** A key given in the body; it comes before those of the headers. */
  readonly bodyKey?: string;
  /** Lets a request without any key in when it comes from this very machine (`SLUICE_OPEN_UPLOADS`). */
  readonly openFromLoopback?: boolean;
}

/** Who makes the request. Throws `unauthorized` without or with a wrong key. Scopes are the doors' to check. */
export async function callerOf(req: IncomingMessage, access: Access, options: AuthOptions = {}): Promise<Caller> {
  const key = options.bodyKey ?? headerKey(req);
  if (key === null) {
    if (options.openFromLoopback && isDirectLoopback(req)) return noted(req, OPEN_CALLER);
    throw new Fault("unauthorized", "a key is needed: send it as X-Api-Key or as Authorization: Bearer", { field: "api_key" });
  }
  const caller = await access.authenticate(key);
  if (!caller) throw new Fault("unauthorized", "the key is unknown, wrong or revoked", { field: "api_key" });
  return noted(req, caller);
}

/** The password of Basic credentials, whatever the user's name; null when there are none. */
export function basicPassword(req: IncomingMessage): string | null {
  const found = /^Basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(req.headers.authorization ?? "");
  const pair = found ? Buffer.from(found[1] ?? "", "base64").toString("utf8") : "";
  const colon = pair.indexOf(":");
  return colon === -1 ? null : pair.slice(colon + 1);
}

function headerKey(req: IncomingMessage): string | null {
  const own = req.headers["x-api-key"];
  const bearer = /^Bearer\s+(.+?)\s*$/i.exec(req.headers.authorization ?? "")?.[1];
  if (typeof own === "string" && bearer !== undefined && own !== bearer) {
    throw new Fault("duplicate_field", "api_key: X-Api-Key and Authorization give different keys", { field: "api_key" });
  }
  // An empty key, or other credentials, are a wrong key and not none: only a request without any may use the open door.
  if (typeof own === "string") return own;
  return bearer ?? (req.headers.authorization === undefined ? null : "");
}

function noted(req: IncomingMessage, caller: Caller): Caller {
  exchangeOf(req).caller = caller;
  return caller;
}

/**
 * True for a request made on this machine for this machine. A page in the user's browser is a loopback peer too, and DNS can
 * make any name point here: so the Host must be loopback, the Origin absent or the same Host, and nothing may have forwarded it.
 */
export function isDirectLoopback(req: IncomingMessage): boolean {
  const { headers } = req;
  const host = headers.host ?? "";
  if (!LOOPBACK_PEER.test(req.socket.remoteAddress ?? "") || !LOOPBACK_HOST.test(host)) return false;
  if (Object.keys(headers).some((name) => name.startsWith("x-forwarded-") || FORWARDING.has(name))) return false;
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  return headers.origin === undefined || headers.origin.toLowerCase() === `http://${host}`.toLowerCase();
}
