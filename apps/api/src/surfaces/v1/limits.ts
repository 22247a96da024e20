import type { Router } from "express";
import { MAX_FILE_NAME_BYTES, MAX_PATH_BYTES, MAX_SEGMENT_BYTES } from "@sluice/core/domain/dataset";
import { MAX_REJECTS_IN_RECORD, MAX_REJECTS_KEPT } from "@sluice/core/domain/file";
import { READ_COMPRESSIONS, READ_FORMATS } from "@sluice/core/domain/options";
import { answerJson } from "../../http/answer.ts";
import type { ApiDeps } from "../../http/api-deps.ts";
import { callerOf } from "../../http/auth.ts";
import { MAX_FIELD_BYTES, MAX_FIELDS, MAX_FILES } from "../../http/body.ts";
import { MAX_JSON_BYTES } from "../../http/json.ts";
import { MAX_LIMIT } from "../../http/page.ts";
import { queryOf } from "../../http/query.ts";
import { route } from "../../http/route.ts";

/** The limits that requests meet, so that a client need not find them by being refused. */
export function limitRoutes(router: Router, deps: ApiDeps): void {
  route(router, "/limits", {
    GET: async (req, res) => {
      await callerOf(req, deps.access);
      queryOf(req, []);
      answerJson(req, res, 200, {
        id: "limits",
        upload_bytes: deps.maxUploadBytes,
        upload_files: MAX_FILES,
        form_fields: MAX_FIELDS,
        form_field_bytes: MAX_FIELD_BYTES,
        json_bytes: MAX_JSON_BYTES,
        page_items: MAX_LIMIT,
        path_bytes: MAX_PATH_BYTES,
        path_segment_bytes: MAX_SEGMENT_BYTES,
        file_name_bytes: MAX_FILE_NAME_BYTES,
        rejects_kept: MAX_REJECTS_KEPT,
        rejects_in_record: MAX_REJECTS_IN_RECORD,
        link_minutes: deps.manage.linkMinutes,
        trash_days: deps.manage.trashDays,
        formats: READ_FORMATS,
        compressions: READ_COMPRESSIONS,
      });
    },
  });
}
