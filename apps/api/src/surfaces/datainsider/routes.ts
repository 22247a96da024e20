import { type Request, type Response, Router } from "express";
import type { Caller } from "@sluice/core/domain/access";
import { listFiles, listSyncs } from "@sluice/core/manage/queries";
import { endSync, startSync } from "@sluice/core/manage/syncs";
import { answerJson } from "../../http/answer.ts";
import type { ApiDeps } from "../../http/api-deps.ts";
import { callerOf } from "../../http/auth.ts";
import { exchangeOf } from "../../http/exchange.ts";
import { answerFaults } from "../../http/fault.ts";
import { type Answer, fingerprintOf, once } from "../../http/idempotency.ts";
import { type JsonObject, onlyFields, readJson } from "../../http/json.ts";
import { queryOf } from "../../http/query.ts";
import { notThere, route } from "../../http/route.ts";
import { takeUpload } from "../../http/upload.ts";
import {
  bodyKeyOf,
  END_FIELDS,
  errorBody,
  HISTORY_FIELDS,
  historyQueryOf,
  historyWire,
  LIST_FIELDS,
  listQueryOf,
  START_FIELDS,
  startOf,
  syncIdOf,
  syncWire,
  UPLOAD_FIELDS,
  uploadFactsOf,
} from "./wire.ts";

/** The DataInsider file upload API, as its reference has it; mounted at /api. */
export function datainsider(deps: ApiDeps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const keyless = { openFromLoopback: deps.openUploads };

  route(router, "/ingestion/file/sync/start", {
    POST: (req, res) =>
      posted(deps, req, res, START_FIELDS, async (caller, body) => {
        const sync = await startSync(deps.manage, caller, startOf(body));
        exchangeOf(req).sync = sync;
        return { status: 200, body: { sync_id: sync } };
      }),
  });

  route(router, "/lake/file/upload", {
    POST: async (req, res) => {
      const caller = await callerOf(req, deps.access, keyless);
      const query = queryOf(req, UPLOAD_FIELDS);
      const { answer } = await takeUpload(
        deps,
        { req, res, caller, query },
        {
          form: { fields: UPLOAD_FIELDS, raw: false, name: null },
          facts: (fields) => {
            const facts = uploadFactsOf(fields);
            if (facts.sync !== null) exchangeOf(req).sync = facts.sync;
            return facts;
          },
          answer: () => ({ status: 200, body: { code: 0, msg: null } }),
        },
      );
      answerJson(req, res, answer.status, answer.body);
    },
  });

  route(router, "/ingestion/file/sync/end", {
    POST: (req, res) =>
      posted(deps, req, res, END_FIELDS, async (caller, body) => {
        const sync = syncIdOf(body["sync_id"]);
        exchangeOf(req).sync = sync;
        await endSync(deps.manage, caller, sync);
        return { status: 200, body: { success: true } };
      }),
  });

  route(router, "/ingestion/file/sync/list", {
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access, keyless);
      const syncs = await listSyncs(deps.manage, caller, listQueryOf(queryOf(req, LIST_FIELDS)));
      answerJson(req, res, 200, syncs.map(syncWire));
    },
  });

  route(router, "/ingestion/file/sync/history", {
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access, keyless);
      const files = await listFiles(deps.manage, caller, historyQueryOf(queryOf(req, HISTORY_FIELDS)));
      answerJson(req, res, 200, files.map(historyWire));
    },
  });

  router.use(notThere(), answerFaults(errorBody));
  return router;
}

/** A JSON request whose key may stand in the body, whatever its Content-Type says. */
async function posted(
  deps: ApiDeps,
  req: Request,
  res: Response,
  known: readonly string[],
  run: (caller: Caller, body: JsonObject) => Promise<Answer>,
): Promise<void> {
  const query = queryOf(req, []);
  const body = await readJson(req, res, { anyType: true });
  const bodyKey = bodyKeyOf(body);
  const caller = await callerOf(req, deps.access, bodyKey === null ? {} : { bodyKey });
  onlyFields(body, known);
  const fingerprint = fingerprintOf(req, query, { json: body });
  await once(deps, { req, res, caller, fingerprint, shape: errorBody }, () => run(caller, body));
}
