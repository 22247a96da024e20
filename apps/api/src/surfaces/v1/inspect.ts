import type { Request, Response, Router } from "express";
import type { Caller } from "@sluice/core/domain/access";
import { parsePath } from "@sluice/core/domain/dataset";
import { Fault } from "@sluice/core/domain/fault";
import { type DatasetId, type InspectionId, parseUuid } from "@sluice/core/domain/ids";
import { inspect, waitForInspection } from "@sluice/core/inspect";
import { requireScope } from "@sluice/core/manage/access";
import type { InspectionRow } from "@sluice/core/ports/inspections";
import { answerJson } from "../../http/answer.ts";
import type { ApiDeps } from "../../http/api-deps.ts";
import { callerOf } from "../../http/auth.ts";
import { openUpload } from "../../http/body.ts";
import { LOAD_FIELDS, loadFields } from "../../http/load-fields.ts";
import { type Fields, intField, queryOf } from "../../http/query.ts";
import { param, route } from "../../http/route.ts";
import { inspectionWire } from "./wire-inspection.ts";

const FORM_FIELDS = ["dataset", "path", "policy", ...LOAD_FIELDS] as const;
const QUERY_FIELDS = [...FORM_FIELDS, "name", "wait"] as const;
/** A dry run is first in line and looks at the head of a file; one that takes longer is polled. */
const WAIT_S = { fallback: 10, min: 0, max: 60 };

/** Dry runs: how a file would be read and loaded. Nothing of it is kept. */
export function inspectRoutes(router: Router, deps: ApiDeps): void {
  route(router, "/inspect", {
    POST: async (req, res) => {
      const query = queryOf(req, QUERY_FIELDS);
      const caller = await callerOf(req, deps.access);
      await postInspection(deps, { req, res, caller, query }, FORM_FIELDS, (fields) => datasetOf(deps, caller, fields));
    },
  });
  route(router, "/inspections/:inspection", {
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const query = queryOf(req, ["wait"]);
      const text = param(req, "inspection");
      const id = parseUuid<InspectionId>(text);
      if (id === null)
        throw new Fault("not_found", `inspection: there is no inspection ${text.slice(0, 100)}`, { field: "inspection", value: text });
      const waitMs = intField(query, "wait", { ...WAIT_S, fallback: 0 }) * 1_000;
      answerInspection(req, res, await waitForInspection(deps.inspect, caller, id, waitMs, closing(res)));
    },
  });
}

/** Takes one file and answers what was found: 200, or 202 and where to ask again when it takes longer than `wait`. */
export async function postInspection(
  deps: ApiDeps,
  { req, res, caller, query }: { readonly req: Request; readonly res: Response; readonly caller: Caller; readonly query: Fields },
  formFields: readonly string[],
  dataset: (fields: Fields) => Promise<DatasetId | null>,
): Promise<void> {
  requireScope(caller, "upload");
  const waitMs = intField(query, "wait", WAIT_S) * 1_000;
  const given = new Map([...query].filter(([name]) => name !== "wait" && name !== "validate_only"));
  // What the query alone has wrong is told before the bytes are taken.
  const early = loadFields(given);
  const target = await dataset(given);
  using upload = openUpload(req, res, {
    fields: formFields,
    raw: true,
    name: query.get("name") ?? null,
    maxBytes: deps.maxUploadBytes,
    given,
  });
  let final: { readonly dataset: DatasetId | null } & typeof early = { dataset: target, ...early };
  const files = async function* () {
    yield* upload.files;
    // The form's own fields are known once its files have ended.
    if (upload.fields.size > given.size) final = { dataset: await dataset(upload.fields), ...loadFields(upload.fields) };
  };
  const id = await inspect(deps.inspect, caller, files(), () => final, upload.signal);
  answerInspection(req, res, await waitForInspection(deps.inspect, caller, id, waitMs, upload.signal));
}

async function datasetOf(deps: ApiDeps, caller: Caller, fields: Fields): Promise<DatasetId | null> {
  const text = fields.get("dataset");
  const path = fields.get("path");
  if (text !== undefined && path !== undefined) {
    throw new Fault("invalid_field", "path: a dataset is named by dataset or by path, not by both", { field: "path", value: path });
  }
  if (text !== undefined) {
    const id = parseUuid<DatasetId>(text);
    if (id === null) throw new Fault("not_found", `dataset: there is no dataset ${text.slice(0, 100)}`, { field: "dataset", value: text });
    return id;
  }
  if (path === undefined) return null;
  // A path that is no dataset yet is one that an upload would make.
  return (await deps.inspect.catalog.byPath(caller.org, parsePath(path)))?.id ?? null;
}

function answerInspection(req: Request, res: Response, found: InspectionRow): void {
  const over = found.state === "done" || found.state === "failed";
  const where = `/api/v1/inspections/${found.id}`;
  answerJson(req, res, over ? 200 : 202, inspectionWire(found), over ? {} : { Location: where, "Retry-After": "1" });
}

function closing(res: Response): AbortSignal {
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  return gone.signal;
}
