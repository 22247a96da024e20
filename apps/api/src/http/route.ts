import type { Request, RequestHandler, Response, Router } from "express";
import { Fault } from "@sluice/core/domain/fault";
import { exchangeOf } from "./exchange.ts";

export type Handler = (req: Request, res: Response) => Promise<void>;

/** The handlers of one path by method. HEAD is answered by GET; another method is `method_not_allowed` with the list. */
export function route(
  router: Router,
  path: string,
  methods: Readonly<Partial<Record<"GET" | "POST" | "PUT" | "PATCH" | "DELETE", Handler>>>,
): void {
  const names = Object.keys(methods).flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name]));
  const allow = names.join(", ");
  const dispatch: Handler = async (req, res) => {
    exchangeOf(req).route = `${req.baseUrl}${path}`;
    const name = req.method === "HEAD" ? "GET" : req.method;
    const handler = Object.hasOwn(methods, name) ? methods[name as "GET"] : undefined;
    if (!handler)
      throw new Fault("method_not_allowed", `${req.method} is not allowed here, only ${allow}`, { value: req.method, limit: allow });
    await handler(req, res);
  };
  router.all(path, (req, res) => dispatch(req, res));
}

/** Ends a surface: what no route took is not there. */
export function notThere(): RequestHandler {
  return (req) => {
    throw new Fault("not_found", `there is nothing at ${req.method} ${pathOf(req)}`, { value: pathOf(req) });
  };
}

/** The request's path as sent, without its query. */
export function pathOf(req: Request): string {
  return req.originalUrl.split("?", 1)[0] ?? "/";
}

/** A parameter of the route's path. */
export function param(req: Request, name: string): string {
  const value = req.params[name];
  return typeof value === "string" ? value : "";
}
