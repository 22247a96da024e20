import { createHash } from "node:crypto";
import type { DatasetId } from "../domain/ids.ts";
import { currentKey, currentPageKey } from "../domain/keys.ts";
import { typeName } from "../domain/table-schema.ts";
import type { CurrentFiles, LivePart, Snapshot } from "../ports/catalog.ts";
import type { ObjectStore } from "../ports/object-store.ts";

export interface CurrentDeps {
  readonly current: CurrentFiles;
  readonly objects: ObjectStore;
}

/** Above this many, parts stand in pages of their own: rewriting one list of them all for every file would grow without bound. */
export const PARTS_INLINE = 10_000;
export const PARTS_A_PAGE = 5_000;

/** Brings a dataset's current.json up to the records. Resolves to the version it has then; `wait` false leaves it to another writer. */
export function writeCurrent(deps: CurrentDeps, dataset: DatasetId, wait: boolean): Promise<number> {
  return deps.current.write(dataset, wait, async (snapshot) => {
    const { dataset: of, parts } = snapshot;
    const live = parts.filter((part) => part.kind === "part").map(partJson);
    const body = live.length > PARTS_INLINE ? { pages: await writePages(deps, snapshot, live) } : { parts: live };
    await putJson(deps.objects, currentKey(of.org, of.path), { ...headJson(snapshot), ...body });
  });
}

function headJson({ dataset, parts }: Snapshot) {
  return {
    version: dataset.version,
    dataset: dataset.id,
    path: dataset.path,
    generation: dataset.generationNumber,
    tables: Object.entries(dataset.schemas).map(([name, schema]) => ({
      name,
      columns: schema.columns.map((column) => ({ id: column.id, name: column.name, type: typeName(column.type) })),
    })),
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    files: parts
      .filter((part) => part.kind === "opaque")
      .map((part) => ({ id: part.id, file: part.files[0], name: part.name, key: part.key, bytes: part.bytes, sha256: part.sha256 })),
  };
}

function partJson(part: LivePart) {
  return { id: part.id, table: part.table, key: part.key, rows: part.rows, bytes: part.bytes, sha256: part.sha256, files: part.files };
}

/** Pages are named by their content: the older ones stay what they are from version to version and are not written again. */
async function writePages(deps: CurrentDeps, { dataset }: Snapshot, live: readonly ReturnType<typeof partJson>[]) {
  const pages = [];
  for (let at = 0; at < live.length; at += PARTS_A_PAGE) {
    const parts = live.slice(at, at + PARTS_A_PAGE);
    const key = currentPageKey(dataset.org, dataset.path, createHash("sha256").update(JSON.stringify(parts)).digest("hex"));
    if (!(await deps.objects.head(key))) await putJson(deps.objects, key, { parts });
    pages.push({ key, parts: parts.length, rows: parts.reduce((sum, part) => sum + part.rows, 0) });
  }
  return pages;
}

async function putJson(objects: ObjectStore, key: string, value: unknown): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
  await objects.put(key, one(bytes), { bytes: bytes.length });
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
