import type { Request, Response } from "express";
import type { DatasetId, FileId, SyncId } from "@sluice/core/domain/ids";
import { parsePath } from "@sluice/core/domain/dataset";
import { Fault } from "@sluice/core/domain/fault";
import { requireScope } from "@sluice/core/manage/access";
import { type FileRow, waitForFile } from "@sluice/core/manage/queries";
import { answerJson } from "../../http/answer.ts";
import type { ApiDeps } from "../../http/api-deps.ts";
import { callerOf } from "../../http/auth.ts";
import { exchangeOf } from "../../http/exchange.ts";
import { LOAD_FIELDS, loadFields } from "../../http/load-fields.ts";
import { boolField, intField, queryOf } from "../../http/query.ts";
import { takeUpload } from "../../http/upload.ts";
import { postInspection } from "./inspect.ts";
import { fileWire } from "./wire.ts";

const FORM_FIELDS = ["path", ...LOAD_FIELDS] as const;
const QUERY_FIELDS = [...FORM_FIELDS, "name", "wait", "validate_only"] as const;
const MAX_WAIT_S = 60;

/** What is remembered of an upload: enough to show its files again. */
interface AcceptedBody {
  readonly items: readonly { readonly id: FileId; readonly history_no: number }[];
}

/**
 * POST of files to a dataset or a sync: a form, or a raw body with its name. 202 with the files as accepted; with `wait` 200 and
 * their final states when all are done in time. One file is answered as itself, several as a list.
 */
export async function postFiles(
  deps: ApiDeps,
  req: Request,
  res: Response,
  to: { readonly dataset: DatasetId } | { readonly sync: SyncId },
): Promise<void> {
  const caller = await callerOf(req, deps.access);
  requireScope(caller, "upload");
  const all = queryOf(req, QUERY_FIELDS);
  if (boolField(all, "validate_only", false)) {
    await postInspection(deps, { req, res, caller, query: all }, FORM_FIELDS, () => datasetOf(deps, caller, to));
    return;
  }
  const waitMs = intField(all, "wait", { fallback: 0, min: 0, max: MAX_WAIT_S }) * 1_000;
  // How long to wait says nothing about the request: a repetition may wait otherwise.
  const query = new Map([...all].filter(([name]) => name !== "wait" && name !== "validate_only"));
  if ("sync" in to) exchangeOf(req).sync = to.sync;
  else exchangeOf(req).dataset = to.dataset;
  const { answer, replayed } = await takeUpload(
    deps,
    { req, res, caller, query },
    {
      form: { fields: FORM_FIELDS, raw: true, name: query.get("name") ?? null },
      facts: (fields) => {
        const path = fields.get("path");
        return {
          sync: "sync" in to ? to.sync : null,
          dataset: "dataset" in to ? to.dataset : null,
          path: path === undefined ? null : parsePath(path),
          ...loadFields(fields),
        };
      },
      answer: (accepted) => ({
        status: 202,
        body: { items: accepted.map((file) => ({ id: file.id, history_no: file.historyNo })) } satisfies AcceptedBody,
      }),
    },
  );
  const { items } = answer.body as AcceptedBody;
  const headers: Record<string, string> = replayed ? { "Idempotency-Replayed": "true" } : {};
  if (items.length === 1 && items[0]) headers["Location"] = `/api/v1/files/${items[0].id}`;
  if (waitMs === 0) {
    answerJson(req, res, 202, oneOrList(items.map((file) => ({ ...file, state: "staged", ...to }))), headers);
    return;
  }
  const files = await waitForAll(deps, res, caller, items, waitMs);
  const done = files.every((file) => file.finishedAtMs !== null && ["loaded", "stored", "failed"].includes(file.state));
  answerJson(req, res, done ? 200 : 202, oneOrList(files.map(fileWire)), headers);
}

/** The dataset that a dry run of an upload is compared with. Throws `not_found`. */
async function datasetOf(
  deps: ApiDeps,
  caller: Awaited<ReturnType<typeof callerOf>>,
  to: { readonly dataset: DatasetId } | { readonly sync: SyncId },
): Promise<DatasetId> {
  if ("dataset" in to) return to.dataset;
  const sync = await deps.manage.history.sync(caller.org, to.sync);
  if (!sync) throw new Fault("not_found", `sync: there is no sync ${to.sync}`, { field: "sync", value: to.sync });
  return sync.dataset;
}

async function waitForAll(
  deps: ApiDeps,
  res: Response,
  caller: Awaited<ReturnType<typeof callerOf>>,
  items: AcceptedBody["items"],
  waitMs: number,
): Promise<FileRow[]> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  res.once("close", leave);
  try {
    const until = performance.now() + waitMs;
    const files: FileRow[] = [];
    for (const { id } of items)
      files.push(await waitForFile(deps.manage, caller, id, Math.max(0, Math.round(until - performance.now())), gone.signal));
    return files;
  } finally {
    res.off("close", leave);
  }
}

function oneOrList(items: readonly object[]): object {
  return items.length === 1 && items[0] ? items[0] : { items, next: null };
}
