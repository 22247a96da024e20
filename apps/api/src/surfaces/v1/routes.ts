import { Router } from "express";
import type { ApiDeps } from "../../http/api-deps.ts";
import { answerFaults } from "../../http/fault.ts";
import { notThere } from "../../http/route.ts";
import { datasetRoutes } from "./datasets.ts";
import { fileRoutes } from "./files.ts";
import { inspectRoutes } from "./inspect.ts";
import { limitRoutes } from "./limits.ts";
import { objectRoutes } from "./objects.ts";
import { syncRoutes } from "./syncs.ts";
import { trashRoutes } from "./trash.ts";
import { errorBody } from "./wire.ts";

/** The service's own dialect; mounted at /api/v1. docs/api.md is its reference. */
export function v1(deps: ApiDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  datasetRoutes(router, deps);
  fileRoutes(router, deps);
  syncRoutes(router, deps);
  trashRoutes(router, deps);
  inspectRoutes(router, deps);
  limitRoutes(router, deps);
  objectRoutes(router, deps);
  router.use(notThere(), answerFaults(errorBody));
  return router;
}
