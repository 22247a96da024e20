import type { Request, Response } from "express";
import type { Caller } from "@sluice/core/domain/access";
import { Fault } from "@sluice/core/domain/fault";
import {
  type DatasetId,
  type FileId,
  type GenerationId,
  parseCounter,
  parseUuid,
  type PartId,
  type SyncId,
  type TrashId,
} from "@sluice/core/domain/ids";
import type { ApiDeps } from "../../http/api-deps.ts";
import { callerOf } from "../../http/auth.ts";
import { type Answer, fingerprintOf, once } from "../../http/idempotency.ts";
import { type JsonObject, onlyFields, readJson } from "../../http/json.ts";
import { queryOf } from "../../http/query.ts";
import { param } from "../../http/route.ts";
import { errorBody } from "./wire.ts";

/** The uuid in the path. One that is none cannot exist: `not_found`, as a foreign one. */
export function uuidParam<T extends FileId | DatasetId | PartId | TrashId | GenerationId>(req: Request, name: string, what: string): T {
  const text = param(req, name);
  const id = parseUuid<T>(text);
  if (id === null) throw notFound(what, text);
  return id;
}

/** The sync's number in the path. */
export function syncParam(req: Request): SyncId {
  const text = param(req, "sync");
  const id = parseCounter<SyncId>(text);
  if (id === null) throw notFound("sync", text);
  return id;
}

function notFound(what: string, value: string): Fault {
  return new Fault("not_found", `${what}: there is no ${what} ${value.slice(0, 100)}`, { field: what, value });
}

/** A POST with a JSON body of these fields, at most once for its Idempotency-Key. */
export async function posted(
  deps: ApiDeps,
  req: Request,
  res: Response,
  known: readonly string[],
  run: (caller: Caller, body: JsonObject) => Promise<Answer>,
): Promise<void> {
  const caller = await callerOf(req, deps.access);
  const query = queryOf(req, []);
  const body = await readJson(req, res);
  onlyFields(body, known);
  await once(deps, { req, res, caller, fingerprint: fingerprintOf(req, query, { json: body }), shape: errorBody }, () => run(caller, body));
}
