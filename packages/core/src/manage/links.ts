import { Fault } from "../domain/fault.ts";
import type { Clock } from "../domain/ids.ts";
import type { LivePart } from "../ports/catalog.ts";
import type { FileRow } from "../ports/history.ts";
import type { ObjectStore } from "../ports/object-store.ts";

export interface LinkDeps {
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly linkMinutes: number;
}

/** A link to a part or an opaque file. Who asks was checked when the part was looked up. */
export async function partLink(deps: LinkDeps, part: LivePart): Promise<string> {
  return link(deps, part.key, part.kind === "part" ? `${part.table ?? "part"}-${part.id}.parquet` : part.name);
}

/** A link to a file's bytes as they were sent. Throws `raw_gone`. */
export async function rawLink(deps: LinkDeps, file: FileRow): Promise<string> {
  if (file.rawRemoved) throw new Fault("raw_gone", `file: the bytes of ${file.id} are kept no longer`, { field: "file", value: file.id });
  return link(deps, file.rawKey, file.name);
}

function link(deps: LinkDeps, key: string, fileName: string): Promise<string> {
  return deps.objects.link(key, { expiresAtMs: deps.clock.now() + deps.linkMinutes * 60_000, fileName });
}
