import type { Router } from "express";
import { Fault } from "@sluice/core/domain/fault";
import { type DatasetId, parseUuid, type TrashId } from "@sluice/core/domain/ids";
import { listTrash, restoreTrash } from "@sluice/core/manage/trash";
import { answerJson } from "../../http/answer.ts";
import type { ApiDeps } from "../../http/api-deps.ts";
import { callerOf } from "../../http/auth.ts";
import { badCursor, fromCursor, limitOf, pageOf, toCursor } from "../../http/page.ts";
import { queryOf } from "../../http/query.ts";
import { route } from "../../http/route.ts";
import { posted, uuidParam } from "./common.ts";
import { trashWire } from "./wire.ts";

/** What was taken away, and bringing it back. */
export function trashRoutes(router: Router, deps: ApiDeps): void {
  route(router, "/trash", {
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const query = queryOf(req, ["dataset", "cursor", "limit"]);
      const limit = limitOf(query);
      const of = query.get("dataset");
      const dataset = of === undefined ? null : parseUuid<DatasetId>(of);
      if (of !== undefined && dataset === null)
        throw new Fault("invalid_field", "dataset: must be a dataset's id", { field: "dataset", value: of });
      const cursor = fromCursor("trash", query);
      const after = cursor === null ? null : parseUuid<TrashId>(String(cursor["id"]));
      if (cursor !== null && after === null) throw badCursor(query.get("cursor") ?? "");
      const found = await listTrash(deps.manage, caller, { dataset, after, limit: limit + 1 });
      answerJson(
        req,
        res,
        200,
        pageOf(found, limit, trashWire, ({ id }) => toCursor("trash", { id })),
      );
    },
  });
  route(router, "/trash/:trash/restore", {
    POST: (req, res) =>
      posted(deps, req, res, [], async (caller) => ({
        status: 200,
        body: trashWire(await restoreTrash(deps.manage, caller, uuidParam<TrashId>(req, "trash", "trash"))),
      })),
  });
}
