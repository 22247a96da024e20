import type { Router } from "express";
import { parsePath } from "@sluice/core/domain/dataset";
import { parseCounter, type SyncId } from "@sluice/core/domain/ids";
import { oneOf } from "@sluice/core/domain/options";
import { SYNC_STATES } from "@sluice/core/domain/sync";
import { getSync, listSyncs } from "@sluice/core/manage/queries";
import { cancelSync, endSync, startSync, type StartSync } from "@sluice/core/manage/syncs";
import { answerJson } from "../../http/answer.ts";
import type { ApiDeps } from "../../http/api-deps.ts";
import { callerOf } from "../../http/auth.ts";
import { exchangeOf } from "../../http/exchange.ts";
import { boolOf, type JsonObject, numberOf, textOf } from "../../http/json.ts";
import { rulesOf } from "../../http/load-fields.ts";
import { badCursor, fromCursor, limitOf, pageOf, toCursor } from "../../http/page.ts";
import { queryOf } from "../../http/query.ts";
import { route } from "../../http/route.ts";
import { posted, syncParam } from "./common.ts";
import { FILE_LIST_FIELDS, filePage } from "./files.ts";
import { postFiles } from "./uploads.ts";
import { syncWire } from "./wire.ts";

const START_FIELDS = ["path", "name", "type", "on_file_error", "allow_empty", "on_bad_row", "max_rejects", "timeout_hours"] as const;
const MAX_TIMEOUT_HOURS = 24 * 366;

/** Syncs: started, filled, ended, cancelled. */
export function syncRoutes(router: Router, deps: ApiDeps): void {
  const { manage } = deps;
  route(router, "/syncs", {
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const query = queryOf(req, ["path", "state", "cursor", "limit"]);
      const limit = limitOf(query);
      const path = query.get("path");
      const state = query.get("state");
      const cursor = fromCursor("syncs", query);
      const after = cursor === null ? null : parseCounter<SyncId>(cursor["id"]);
      if (cursor !== null && after === null) throw badCursor(query.get("cursor") ?? "");
      const found = await listSyncs(manage, caller, {
        ...(path === undefined ? {} : { path: parsePath(path) }),
        ...(state === undefined ? {} : { states: [oneOf(SYNC_STATES, state, "state")] }),
        ...(after === null ? {} : { after }),
        sort: "id",
        descending: false,
        limit: limit + 1,
      });
      answerJson(
        req,
        res,
        200,
        pageOf(found, limit, syncWire, ({ id }) => toCursor("syncs", { id })),
      );
    },
    POST: (req, res) =>
      posted(deps, req, res, START_FIELDS, async (caller, body) => {
        const id = await startSync(manage, caller, startOf(body));
        exchangeOf(req).sync = id;
        return { status: 201, body: syncWire(await getSync(manage, { ...caller, scopes: ["admin"] }, id)) };
      }),
  });

  route(router, "/syncs/:sync", {
    GET: async (req, res) => {
      answerJson(req, res, 200, syncWire(await getSync(manage, await callerOf(req, deps.access), syncParam(req))));
    },
  });

  for (const [verb, act] of [
    ["end", endSync],
    ["cancel", cancelSync],
  ] as const) {
    route(router, `/syncs/:sync/${verb}`, {
      POST: (req, res) =>
        posted(deps, req, res, [], async (caller) => {
          const id = syncParam(req);
          exchangeOf(req).sync = id;
          await act(manage, caller, id);
          return { status: 200, body: syncWire(await getSync(manage, { ...caller, scopes: ["admin"] }, id)) };
        }),
    });
  }

  route(router, "/syncs/:sync/files", {
    POST: (req, res) => postFiles(deps, req, res, { sync: syncParam(req) }),
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const query = queryOf(req, FILE_LIST_FIELDS);
      const { id } = await getSync(manage, caller, syncParam(req));
      answerJson(req, res, 200, await filePage(deps, caller, query, { sync: id }));
    },
  });
}

function startOf(body: JsonObject): StartSync {
  const rules = rulesOf({ on_bad_row: body["on_bad_row"] ?? undefined, max_rejects: body["max_rejects"] ?? undefined });
  const onFileError = body["on_file_error"] ?? null;
  return {
    name: body["name"] === undefined ? "" : textOf(body, "name"),
    path: parsePath(textOf(body, "path")),
    type: oneOf(["full", "incremental"], textOf(body, "type"), "type"),
    onFileError: onFileError === null ? null : oneOf(["publish", "keep_old"], onFileError, "on_file_error"),
    allowEmpty: boolOf(body, "allow_empty"),
    onBadRow: rules.onBadRow ?? null,
    maxRejects: rules.maxRejects ?? null,
    timeoutHours: numberOf(body, "timeout_hours", 0, MAX_TIMEOUT_HOURS),
  };
}
