import type { Router } from "express";
import { MAIN_TABLE } from "@sluice/core/domain/dataset";
import { Fault } from "@sluice/core/domain/fault";
import { type DatasetId, parseUuid, type PartId } from "@sluice/core/domain/ids";
import { oneOf, parseMaxRejects } from "@sluice/core/domain/options";
import { parseType, type TableSchemas } from "@sluice/core/domain/table-schema";
import {
  changeRules,
  createDataset,
  datasetTotals,
  declaredSchema,
  type DeclaredColumns,
  getDataset,
  listDatasets,
  listParts,
} from "@sluice/core/manage/datasets";
import { partLink } from "@sluice/core/manage/links";
import { changeSchema, getSchemaChange } from "@sluice/core/manage/schema";
import { answerJson } from "../../http/answer.ts";
import type { ApiDeps } from "../../http/api-deps.ts";
import { callerOf } from "../../http/auth.ts";
import { exchangeOf } from "../../http/exchange.ts";
import { type JsonObject, onlyFields, readJson, textOf, wrongType } from "../../http/json.ts";
import { rulesOf } from "../../http/load-fields.ts";
import { badCursor, fromCursor, limitOf, pageOf, toCursor } from "../../http/page.ts";
import { queryOf } from "../../http/query.ts";
import { param, route } from "../../http/route.ts";
import { posted, uuidParam } from "./common.ts";
import { datasetWire, partWire, schemaChangeWire, schemaWire } from "./wire.ts";

const RULE_FIELDS = ["policy", "on_bad_row", "max_rejects"] as const;
const NAME_LIMIT = 1_000;

/** Datasets, their schemas and their parts. */
export function datasetRoutes(router: Router, deps: ApiDeps): void {
  const { manage } = deps;
  route(router, "/datasets", {
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const query = queryOf(req, ["path", "cursor", "limit"]);
      const limit = limitOf(query);
      const after = idCursor<DatasetId>("datasets", query);
      const found = await listDatasets(manage, caller, { path: query.get("path") ?? null, after, limit: limit + 1 });
      answerJson(
        req,
        res,
        200,
        pageOf(
          found,
          limit,
          (dataset) => datasetWire(dataset, null),
          ({ id }) => toCursor("datasets", { id }),
        ),
      );
    },
    POST: (req, res) =>
      posted(deps, req, res, ["path", "schema", ...RULE_FIELDS], async (caller, body) => {
        const { dataset, created } = await createDataset(manage, caller, {
          path: textOf(body, "path"),
          rules: rulesOf(body),
          declared: declaredOf(body),
        });
        exchangeOf(req).dataset = dataset.id;
        return { status: created ? 201 : 200, body: datasetWire(dataset, await datasetTotals(manage, dataset.id)) };
      }),
  });

  route(router, "/datasets/:dataset", {
    GET: async (req, res) => {
      const dataset = await getDataset(manage, await callerOf(req, deps.access), uuidParam(req, "dataset", "dataset"));
      answerJson(req, res, 200, datasetWire(dataset, await datasetTotals(manage, dataset.id)));
    },
    PATCH: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const body = await readJson(req, res);
      onlyFields(body, RULE_FIELDS);
      const dataset = await changeRules(manage, caller, uuidParam(req, "dataset", "dataset"), rulesOf(body));
      answerJson(req, res, 200, datasetWire(dataset, await datasetTotals(manage, dataset.id)));
    },
  });
  partRoutes(router, deps);
  schemaRoutes(router, deps);
}

function partRoutes(router: Router, deps: ApiDeps): void {
  route(router, "/datasets/:dataset/parts", {
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const query = queryOf(req, ["cursor", "limit", "kind"]);
      const limit = limitOf(query);
      const kind = oneOf(["part", "opaque"], query.get("kind") ?? "part", "kind");
      const cursor = fromCursor("parts", query);
      const after = cursor === null ? null : parseUuid<PartId>(String(cursor["id"]));
      const version = cursor === null ? null : Number(cursor["version"]);
      if (cursor !== null && (after === null || !Number.isSafeInteger(version))) throw badCursor(query.get("cursor") ?? "");
      const found = await listParts(deps.manage, caller, uuidParam(req, "dataset", "dataset"), { version, after, limit: limit + 1, kind });
      const { items, next } = pageOf(
        found.parts,
        limit,
        (part) => part,
        ({ id }) => toCursor("parts", { id, version: found.version }),
      );
      const links = await Promise.all(items.map(async (part) => partWire(part, await partLink(deps.manage, part))));
      answerJson(req, res, 200, { items: links, next, version: found.version });
    },
  });
}

function schemaRoutes(router: Router, deps: ApiDeps): void {
  const { manage } = deps;
  route(router, "/datasets/:dataset/schema", {
    GET: async (req, res) => {
      answerJson(
        req,
        res,
        200,
        schemaWire(await getDataset(manage, await callerOf(req, deps.access), uuidParam(req, "dataset", "dataset"))),
      );
    },
    PUT: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const body = await readJson(req, res);
      onlyFields(body, ["table", "columns", "drop", "max_rejects"]);
      const table = body["table"] === undefined ? MAIN_TABLE : textOf(body, "table");
      const dataset = uuidParam<DatasetId>(req, "dataset", "dataset");
      const columns = columnsOf(body["columns"], "columns");
      const maxRejects = body["max_rejects"] === undefined ? null : parseMaxRejects(body["max_rejects"]);
      const change = await changeSchema(manage, caller, dataset, { table, columns, drop: namesOf(body["drop"], "drop"), maxRejects });
      answerJson(req, res, 202, schemaChangeWire(change), { Location: `/api/v1/datasets/${dataset}/schema/changes/${change.id}` });
    },
  });
  route(router, "/datasets/:dataset/schema/changes/:change", {
    GET: async (req, res) => {
      const caller = await callerOf(req, deps.access);
      const dataset = await getDataset(manage, caller, uuidParam(req, "dataset", "dataset"));
      const id = parseUuid(param(req, "change")) ?? "";
      answerJson(req, res, 200, schemaChangeWire(await getSchemaChange(manage, caller, dataset.id, id)));
    },
  });
}

/** The id after which a list goes on. */
export function idCursor<T extends DatasetId>(kind: string, query: Parameters<typeof fromCursor>[1]): T | null {
  const cursor = fromCursor(kind, query);
  if (cursor === null) return null;
  const id = parseUuid<T>(String(cursor["id"]));
  if (id === null) throw badCursor(query.get("cursor") ?? "");
  return id;
}

/** `schema`: an object of tables, each a list of `{name, type}`. */
function declaredOf(body: JsonObject): TableSchemas {
  const schema = body["schema"];
  if (schema === undefined || schema === null) return {};
  if (typeof schema !== "object" || Array.isArray(schema)) throw wrongType("schema", "an object of tables", schema);
  return Object.fromEntries(
    Object.entries(schema).map(([table, columns]: [string, unknown]) => {
      if (table === "" || table.length > NAME_LIMIT)
        throw wrongType("schema", `an object of tables named by 1 to ${NAME_LIMIT} characters`, table);
      const field = `schema.${table}`;
      return [table, declaredSchema(columnsOf(columns, field), field)];
    }),
  );
}

function namesOf(value: unknown, field: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((name) => typeof name === "string")) return value;
  throw wrongType(field, "a list of column names", value);
}

function columnsOf(value: unknown, field: string): DeclaredColumns {
  if (value === undefined || value === null) throw new Fault("missing_field", `${field}: is missing`, { field });
  if (!Array.isArray(value)) throw wrongType(field, "a list of columns, each with name and type", value);
  return value.map((column: unknown, i) => {
    const at = `${field}[${i}]`;
    if (typeof column !== "object" || column === null || Array.isArray(column)) throw wrongType(at, "an object with name and type", column);
    const { name, type, ...rest } = column as JsonObject;
    onlyFields(rest, []);
    if (typeof name !== "string" || name === "" || name.length > NAME_LIMIT || name.includes("\0") || !name.isWellFormed()) {
      throw wrongType(`${at}.name`, `a text of 1 to ${NAME_LIMIT} characters`, name ?? null);
    }
    if (typeof type !== "string") throw wrongType(`${at}.type`, "the name of a type", type ?? null);
    return { name, type: parseType(type, `${at}.type`) };
  });
}
