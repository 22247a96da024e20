import type { Router } from "express";
import { Fault } from "@sluice/core/domain/fault";
import type { ApiDeps } from "../../http/api-deps.ts";
import { sendObject } from "../../http/object.ts";
import { queryOf } from "../../http/query.ts";
import { param, route } from "../../http/route.ts";

/** Objects by signed link, for a store that has no links of its own. The signature is the key: it covers one object, reading, and a time. */
export function objectRoutes(router: Router, deps: ApiDeps): void {
  const { verifyLink } = deps;
  if (!verifyLink) return;
  route(router, "/objects/:object", {
    GET: async (req, res) => {
      const query = queryOf(req, ["expires", "name", "signature"]);
      const [expires, name, signature] = ["expires", "name", "signature"].map((field) => query.get(field) ?? "");
      const key = verifyLink({ segment: param(req, "object"), expires: expires ?? "", name: name ?? "", signature: signature ?? "" });
      if (key === null)
        throw new Fault("forbidden", "this link was not signed here, or its time is over: ask for a new one", { field: "signature" });
      await sendObject(req, res, deps.manage.objects, { key, name: name || "download", type: "application/octet-stream" });
    },
  });
}
