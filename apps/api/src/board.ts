import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { ExpressAdapter } from "@bull-board/express";
import { type RequestHandler, Router } from "express";
import { may } from "@sluice/core/domain/access";
import { Fault } from "@sluice/core/domain/fault";
import type { Access } from "@sluice/core/manage/access";
import { answerJson } from "./http/answer.ts";
import { basicPassword, callerOf } from "./http/auth.ts";
import { exchangeOf } from "./http/exchange.ts";

export const BOARD_PATH = "/admin/queues";

/** Bull Board over the queues, for who has an admin's key: as the password of Basic auth with any user, or as everywhere else. */
export function board(access: Access, queues: readonly ConstructorParameters<typeof BullMQAdapter>[0][]): Router {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(BOARD_PATH);
  createBullBoard({ queues: queues.map((queue) => new BullMQAdapter(queue)), serverAdapter });
  const router = Router();
  router.use(adminOnly(access), onlyFromHere, serverAdapter.getRouter() as RequestHandler);
  return router;
}

/** The board's page asks a font service for its letters and its own Express names itself; neither is anybody's business. */
const onlyFromHere: RequestHandler = (_req, res, next) => {
  res.setHeader(
    "Content-Security-Policy",
    "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'",
  );
  res.setHeader("Referrer-Policy", "no-referrer");
  const setHeader = res.setHeader.bind(res);
  res.setHeader = (name, value) => (name.toLowerCase() === "x-powered-by" ? res : setHeader(name, value));
  next();
};

function adminOnly(access: Access): RequestHandler {
  return async (req, res, next) => {
    exchangeOf(req).route = BOARD_PATH;
    const password = basicPassword(req);
    const caller = await callerOf(req, access, password === null ? {} : { bodyKey: password }).catch((error: unknown) => {
      if (!(error instanceof Fault) || error.code !== "unauthorized") throw error;
      return null;
    });
    if (!caller) {
      answerJson(
        req,
        res,
        401,
        { error: "an admin's key is needed as password" },
        { "WWW-Authenticate": 'Basic realm="Sluice queues", charset="UTF-8"' },
      );
      return;
    }
    if (!may(caller, "admin")) throw new Fault("forbidden", "this key may not do that: it needs the scope admin", { field: "api_key" });
    // A browser adds Basic credentials to requests that other sites make.
    const site = req.headers["sec-fetch-site"];
    if (req.method !== "GET" && req.method !== "HEAD" && site !== undefined && site !== "same-origin") {
      throw new Fault("forbidden", "changes to the queues must come from this page");
    }
    next();
  };
}
