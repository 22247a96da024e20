import { fileQuery, syncQuery } from "@sluice/core/adapters/postgres/history-rows";
import { openDb } from "@sluice/core/adapters/postgres/connection";
import type { HistoryNo, OrgId, SyncId } from "@sluice/core/domain/ids";
import type { RawBuilder } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { onRecords } from "./suite.ts";

interface Node {
  "Node Type": string;
  "Relation Name"?: string;
  Plans?: Node[];
}

const ORG = 0 as OrgId;
const SEEDED = 100_000;

/** Plans, not times: what a page costs must not grow with what lies beside it. */
onRecords("plans of paged lists over 100,000 syncs and files", (suite) => {
  let pool: pg.Pool;
  let first: number;

  beforeAll(async () => {
    const s = suite();
    const dataset = await s.dataset({}, "/seeded");
    first = await s.start(dataset);
    await s.sql(
      `INSERT INTO syncs (id, org_id, dataset_id, name, path, type, state, start_version, started_at, ended_at)
       SELECT nextval('sync_ids'), 0, $1, 'sync ' || i, '/seeded', 'incremental', CASE WHEN i % 1000 = 0 THEN 'open' WHEN i % 50 = 0 THEN 'failed' ELSE 'finished' END, 0, now(),
              CASE WHEN i % 1000 = 0 THEN NULL ELSE now() END FROM generate_series(1, ${SEEDED}) i`,
      [dataset],
    );
    await s.sql(
      `INSERT INTO files (id, org_id, dataset_id, sync_id, history_no, name, state, raw_key, bytes, sha256, fault, finished_at, staged_at)
       SELECT gen_random_uuid(), 0, $1, $2::bigint + i / 100, nextval('history_numbers'), 'file-' || (i % 500) || '.csv', st, 'raw', 1, 'ab',
              CASE WHEN st = 'failed' THEN '{"code":"unreadable","message":"m"}'::jsonb END, CASE WHEN st <> 'staged' THEN now() END, now()
       FROM (SELECT i, CASE WHEN i % 10 = 3 THEN 'staged' WHEN i % 500 = 0 THEN 'failed' ELSE 'loaded' END AS st FROM generate_series(1, ${SEEDED}) i) each`,
      [dataset, first],
    );
    await s.sql("ANALYZE");
    pool = new pg.Pool({ connectionString: s.url, max: 1, options: "-c search_path=sluice" });
  }, 120_000);
  afterAll(() => pool?.end());

  /** The plan of what is below the page's LIMIT, where everything that grows must come from an index in its order. */
  async function wasteOf(query: RawBuilder<unknown>): Promise<string[]> {
    const compiled = query.compile(openDb(pool));
    const explained = await pool.query<{ "QUERY PLAN": [{ Plan: Node }] }>(`EXPLAIN (FORMAT JSON) ${compiled.sql}`, [
      ...compiled.parameters,
    ]);
    const root = explained.rows[0]?.["QUERY PLAN"][0].Plan;
    const limit = nodes(root).find((node) => node["Node Type"] === "Limit");
    if (!limit) throw new Error("the plan has no limit");
    const scans = nodes(root).filter((node) => node["Node Type"] === "Seq Scan" && /^(files|syncs)$/.test(node["Relation Name"] ?? ""));
    return [...nodes(limit).filter((node) => /Sort|Bitmap/.test(node["Node Type"])), ...scans].map((node) => node["Node Type"]);
  }

  const nodes = (node: Node | undefined): Node[] => (node ? [node, ...(node.Plans ?? []).flatMap(nodes)] : []);
  const pages = (after: number) =>
    [
      ["first page", { descending: false, limit: 10 }],
      ["a thousand", { descending: false, limit: 1_000 }],
      ["last page", { descending: true, limit: 10 }],
      ["page after a cursor", { descending: false, limit: 10, after }],
      ["page before a cursor", { descending: true, limit: 10, after }],
    ] as const;

  test("the plan reader sees a sort where there is one", async () => {
    expect(await wasteOf(fileQuery({ org: ORG, sort: "ended", descending: false, limit: 10 }))).not.toEqual([]);
    expect(await wasteOf(syncQuery({ org: ORG, sort: "name", descending: false, limit: 10 }))).not.toEqual([]);
  });

  test("every page of the files comes from an index in its order, whatever the filter", async () => {
    const filters = {
      none: {},
      sync: { sync: (first + 500) as SyncId },
      "open states": { states: ["fetching", "staged", "claimed", "waiting"] },
      failed: { states: ["failed"] },
      finished: { states: ["loaded", "stored"] },
      name: { name: "file-7.csv" },
    } as const;
    const wasteful: string[] = [];
    for (const [filter, by] of Object.entries(filters)) {
      for (const [page, at] of pages(SEEDED / 2)) {
        const waste = await wasteOf(
          fileQuery({ org: ORG, sort: "id", ...by, ...at, ...("after" in at ? { after: at.after as HistoryNo } : {}) } as never),
        );
        if (waste.length > 0) wasteful.push(`${filter}, ${page}: ${waste.join(", ")}`);
      }
    }
    expect(wasteful).toEqual([]);
  });

  test("every page of the syncs comes from an index in its order, whatever the filter", async () => {
    const filters = {
      none: {},
      sync: { sync: (first + 500) as SyncId },
      "open states": { states: ["open", "ending"] },
      failed: { states: ["failed", "expired", "cancelled", "superseded"] },
      finished: { states: ["finished"] },
      path: { path: "/seeded" },
    } as const;
    const wasteful: string[] = [];
    for (const [filter, by] of Object.entries(filters)) {
      for (const [page, at] of pages(SEEDED / 2)) {
        const waste = await wasteOf(
          syncQuery({ org: ORG, sort: "id", ...by, ...at, ...("after" in at ? { after: at.after as SyncId } : {}) } as never),
        );
        if (waste.length > 0) wasteful.push(`${filter}, ${page}: ${waste.join(", ")}`);
      }
    }
    expect(wasteful).toEqual([]);
  });
});
