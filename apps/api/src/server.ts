import { createServer, type Server } from "node:http";
import express, { type Express, type RequestHandler } from "express";
import type { Logger } from "pino";
import { requireScope } from "@sluice/core/manage/access";
import { type HealthDeps, readiness } from "./health.ts";
import { answerJson, answerWhole } from "./http/answer.ts";
import type { ApiDeps } from "./http/api-deps.ts";
import { callerOf, isDirectLoopback } from "./http/auth.ts";
import { answerFaults } from "./http/fault.ts";
import { logRequest } from "./http/request-log.ts";
import { notThere, route } from "./http/route.ts";
import { BOARD_PATH } from "./board.ts";
import type { Metrics } from "./metrics.ts";
import { datainsider } from "./surfaces/datainsider/routes.ts";
import { v1 } from "./surfaces/v1/routes.ts";
import { errorBody } from "./surfaces/v1/wire.ts";

export interface ServerDeps {
  readonly api: ApiDeps;
  readonly health: HealthDeps;
  readonly metrics: Metrics;
  readonly board: RequestHandler;
  readonly log: Logger;
  readonly trustProxy: boolean | number | string;
  /** True once the process is asked to stop: it is not ready any more, and connections end with their answers. */
  readonly stopping: () => boolean;
}

/** All routes. No body is parsed before the route that wants it: uploads are streams. */
export function createApp(deps: ServerDeps): Express {
  const app = express();
  app.disable("x-powered-by").disable("etag").enable("case sensitive routing").enable("strict routing");
  app.set("trust proxy", deps.trustProxy);
  app.use((req, res, next) => {
    logRequest(deps.log, deps.metrics.observeRequest, req, res);
    if (deps.stopping()) res.shouldKeepAlive = false;
    next();
  });
  serviceRoutes(app, deps);
  app.use(BOARD_PATH, deps.board);
  app.use("/api/v1", v1(deps.api));
  app.use("/api", datainsider(deps.api));
  app.use(notThere(), answerFaults(errorBody));
  return app;
}

function serviceRoutes(app: Express, deps: ServerDeps): void {
  route(app, "/", {
    GET: async (req, res) => {
      answerJson(req, res, 200, {
        name: "sluice",
        api: "/api/v1",
        queues: BOARD_PATH,
        metrics: "/metrics",
        live: "/livez",
        ready: "/readyz",
      });
    },
  });
  route(app, "/livez", {
    GET: async (req, res) => {
      answerJson(req, res, 200, { live: true });
    },
  });
  route(app, "/readyz", {
    GET: async (req, res) => {
      const found = await readiness(deps.health);
      const ready = found.ready && !deps.stopping();
      answerJson(req, res, ready ? 200 : 503, { ...found, ready });
    },
  });
  route(app, "/metrics", {
    GET: async (req, res) => {
      const key = req.headers["x-api-key"] ?? req.headers.authorization;
      if (key !== undefined || !isDirectLoopback(req)) requireScope(await callerOf(req, deps.api.access), "read");
      answerWhole(req, res, 200, await deps.metrics.page(), { "Content-Type": deps.metrics.contentType });
    },
  });
}

/** The HTTP server for a handler, which may be replaced while it runs. */
export function createHttpServer(handler: () => (...exchange: Parameters<RequestHandlerOf>) => void): Server {
  const server = createServer({ keepAliveTimeout: 65_000, headersTimeout: 30_000, connectionsCheckingInterval: 5_000 });
  // An upload may take hours; its own idle limit watches it.
  server.requestTimeout = 0;
  server.timeout = 0;
  server.on("request", (req, res) => handler()(req, res));
  // The body reader sends 100 Continue when it begins, so that a refused upload is not sent at all.
  server.on("checkContinue", (req, res) => handler()(req, res));
  return server;
}

type RequestHandlerOf = NonNullable<Parameters<typeof createServer>[1]>;
