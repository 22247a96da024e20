import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { ADMIN_KEY, type ApiProcess, startApi } from "./api-process.ts";
import { filePart, form, FORM_TYPE, type RawAnswer, rawHttp, type RawRequest } from "./raw-http.ts";

export const KEY = ["X-Api-Key", ADMIN_KEY] as const;
export const JSON_TYPE = ["Content-Type", "application/json"] as const;
export const CSV = "a,b\n1,2\n";
const WARM_FILES = 60;

/** What a bad request is made of: the path, and what differs from a good upload of one small file. */
export type BadRequest = Partial<RawRequest> & { readonly path: string };

/** An API with syncs and datasets to be refused at, and the means to see what a refusal left. */
export interface BadInputSetup extends AsyncDisposable {
  readonly api: ApiProcess;
  readonly open: number;
  readonly closed: number;
  /** Of another org. */
  readonly foreign: number;
  readonly dataset: string;
  readonly foreignDataset: string;
  upload(request: BadRequest): Promise<RawAnswer>;
  /** Everything a refused request may have left; to equal `NOTHING`. */
  readonly leftBehind: () => Promise<unknown>;
}

/** Nothing but aborted records. */
export const NOTHING = { files: [], stray: [], objects: 0, descriptors: true };

export async function setUpBadInput(): Promise<BadInputSetup> {
  const api = await startApi();
  const post = async (path: string, body: object): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await fetch(`${api.url}${path}`, { method: "POST", headers: [[...KEY], [...JSON_TYPE]], body: JSON.stringify(body) });
    expect(answer.ok).toBe(true);
    return (await answer.json()) as Readonly<Record<string, unknown>>;
  };
  const start = async (path: string) =>
    Number((await post("/api/ingestion/file/sync/start", { name: "t", path, sync_type: "IncrementalSync" }))["sync_id"]);
  const upload = (request: BadRequest) => rawHttp(api.port, { headers: [KEY, FORM_TYPE], body: form(filePart("a.csv", CSV)), ...request });

  const [open, closed, foreign] = [await start("/data/open"), await start("/data/closed"), await start("/data/foreign")];
  await post("/api/ingestion/file/sync/end", { sync_id: closed });
  const dataset = String((await post("/api/v1/datasets", { path: "/data/own" }))["id"]);
  const foreignDataset = String((await post("/api/v1/datasets", { path: "/data/foreign2" }))["id"]);
  await api.query("INSERT INTO orgs (id, name) VALUES (7, 'other')");
  await api.query("UPDATE syncs SET org_id = 7 WHERE id = $1", [foreign]);
  await api.query("UPDATE datasets SET org_id = 7 WHERE id = $1", [foreignDataset]);
  // Fills the connection pools, so that only leaks can move the count of descriptors.
  const warm = form(filePart("warm.csv", CSV));
  await Promise.all(Array.from({ length: WARM_FILES }, () => upload({ path: `/api/lake/file/upload?sync_id=${open}`, body: warm })));
  const baseline = await api.descriptors();

  return {
    api,
    open,
    closed,
    foreign,
    dataset,
    foreignDataset,
    upload,
    leftBehind: async () => {
      const names = await readdir(api.root, { recursive: true, withFileTypes: true });
      return {
        files: await api.query("SELECT name, state FROM files WHERE name <> 'warm.csv' AND state <> 'aborted'"),
        stray: await readdir(join(api.root, ".tmp")).catch(() => []),
        objects: names.filter((entry) => entry.isFile()).length - WARM_FILES,
        descriptors: (await api.descriptors()) <= baseline,
      };
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}
