import type { Router } from "express";
import { type FileState, FILE_STATES } from "@sluice/core/domain/file";
import type { DatasetId, FileId, HistoryNo } from "@sluice/core/domain/ids";
import { parseCounter } from "@sluice/core/domain/ids";
import { oneOf } from "@sluice/core/domain/options";
import { getDataset } from "@sluice/core/manage/datasets";
import { rawLink } from "@sluice/core/manage/links";
import { type FileQuery, fileRejects, getFile, listFiles, retryFile } from "@sluice/core/manage/queries";
import { answerJson, answerWhole } from "../../http/answer.ts";
import type { ApiDeps } from "../../http/api-deps.ts";
import { callerOf } from "../../http/auth.ts";
import { attachment, sendObject } from "../../http/object.ts";
import { badCursor, fromCursor, limitOf, pageOf, toCursor } from "../../http/page.ts";
import { boolField, type Fields, queryOf } from "../../http/query.ts";
import { route } from "../../http/route.ts";
import { posted, uuidParam } from "./common.ts";
import { postFiles } from "./uploads.ts";
import { fileWire, rejectsCsv, rejectWire } from "./wire.ts";

const LIST_FIELDS = ["state", "name", "cursor", "limit"] as const;

/** Files: sent to a dataset, looked at, retried, fetched back. */
export function fileRoutes(router: Router, deps: ApiDeps): void {
  const { manage } = deps;
  route(router, "/datasets/:dataset/files", {
    POST: (req, res) => postFiles(deps, req, res, { dataset: uuidParam<DatasetId>(req, "dataset", "dataset") }),
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const query = queryOf(req, LIST_FIELDS);
      const { id } = await getDataset(manage, caller, uuidParam(req, "dataset", "dataset"));
      answerJson(req, res, 200, await filePage(deps, caller, query, { dataset: id }));
    },
  });

  route(router, "/files/:file", {
    GET: async (req, res) => {
      answerJson(req, res, 200, fileWire(await getFile(manage, await callerOf(req, deps.access), uuidParam<FileId>(req, "file", "file"))));
    },
  });

  route(router, "/files/:file/retry", {
    POST: (req, res) =>
      posted(deps, req, res, [], async (caller) => ({
        status: 202,
        body: fileWire(await retryFile(manage, caller, uuidParam<FileId>(req, "file", "file"))),
      })),
  });

  route(router, "/files/:file/raw", {
    GET: async (req, res) => {
      const file = await getFile(manage, await callerOf(req, deps.access), uuidParam<FileId>(req, "file", "file"));
      answerWhole(req, res, 302, "", { Location: await rawLink(manage, file) });
    },
  });

  route(router, "/files/:file/rejects", {
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const query = queryOf(req, ["format", "all"]);
      const file = await getFile(manage, caller, uuidParam<FileId>(req, "file", "file"));
      if (boolField(query, "all", false) && file.rejectsKey !== null) {
        await sendObject(req, res, manage.objects, {
          key: file.rejectsKey,
          name: `${file.name}.rejects.ndjson`,
          type: "application/x-ndjson",
        });
        return;
      }
      const rejects = await fileRejects(manage, file);
      const asked = query.get("format");
      const format =
        asked === undefined ? (req.accepts(["json", "text/csv"]) === "text/csv" ? "csv" : "json") : oneOf(["json", "csv"], asked, "format");
      if (format === "csv") {
        const headers = { ...attachment(`${file.name}.rejects.csv`), "Content-Type": "text/csv; charset=utf-8" };
        answerWhole(req, res, 200, rejectsCsv(rejects), headers);
      } else answerJson(req, res, 200, { items: rejects.map(rejectWire), next: null, total: file.counts.rejected });
    },
  });
}

/** One page of files by ascending history number. */
export async function filePage(
  deps: ApiDeps,
  caller: Awaited<ReturnType<typeof callerOf>>,
  query: Fields,
  of: Pick<FileQuery, "dataset" | "sync">,
): Promise<object> {
  const limit = limitOf(query);
  const state = query.get("state");
  const name = query.get("name");
  const cursor = fromCursor("files", query);
  const after = cursor === null ? null : parseCounter<HistoryNo>(cursor["no"]);
  if (cursor !== null && after === null) throw badCursor(query.get("cursor") ?? "");
  const found = await listFiles(deps.manage, caller, {
    ...of,
    ...(state === undefined ? {} : { states: [oneOf<FileState>(FILE_STATES, state, "state")] }),
    ...(name === undefined ? {} : { name }),
    ...(after === null ? {} : { after }),
    sort: "id",
    descending: false,
    limit: limit + 1,
  });
  return pageOf(found, limit, fileWire, (file) => toCursor("files", { no: file.historyNo }));
}

export { LIST_FIELDS as FILE_LIST_FIELDS };
