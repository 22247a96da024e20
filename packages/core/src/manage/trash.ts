import type { Caller } from "../domain/access.ts";
import type { DatasetId, TrashId } from "../domain/ids.ts";
import type { Trash, TrashEntry } from "../ports/catalog.ts";
import { requireScope } from "./access.ts";

export type { TrashEntry };

export interface TrashDeps {
  readonly trash: Trash;
  readonly trashDays: number;
}

/** One page by ascending id, of one dataset or of all. */
export async function listTrash(
  deps: TrashDeps,
  caller: Caller,
  page: { readonly dataset: DatasetId | null; readonly after: TrashId | null; readonly limit: number },
): Promise<readonly TrashEntry[]> {
  requireScope(caller, "read");
  return deps.trash.list(caller.org, page);
}

/** Makes trashed data live again; what is live now takes its place in the trash. Throws `not_found`, `wrong_state`. */
export async function restoreTrash(deps: TrashDeps, caller: Caller, id: TrashId): Promise<TrashEntry> {
  requireScope(caller, "upload");
  return deps.trash.restore(caller.org, id, deps.trashDays);
}
