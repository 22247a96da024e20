import type { IncomingFile, UploadFacts, AcceptOptions } from "../accept.ts";
import { parseFileName } from "../domain/dataset.ts";
import { Fault } from "../domain/fault.ts";
import { type Clock, type FileId, newId, type OrgId } from "../domain/ids.ts";
import { rawKey } from "../domain/keys.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { AcceptedFile, StagedFile, Uploads, UploadTarget } from "../ports/uploads.ts";

export interface StageDeps {
  readonly objects: ObjectStore;
  readonly uploads: Uploads;
  readonly clock: Clock;
  /** Told of what could not be tidied away; the janitor takes it later. */
  readonly onLeftover: (error: unknown, keys: readonly string[]) => void;
}

/** The staged files of one request; disposing it before they are committed takes them away. */
export interface Staged extends AsyncDisposable {
  readonly files: readonly StagedFile[];
  /** They are committed: disposing leaves them. */
  keep(): void;
}

/** Streams every file under a raw key of its own. Throws `no_file`, `empty_file`, and what the body or the store throws. */
export async function stageAll(deps: StageDeps, org: OrgId, incoming: AsyncIterable<IncomingFile>, signal: AbortSignal): Promise<Staged> {
  const files: StagedFile[] = [];
  const begun: { id: FileId; key: string }[] = [];
  try {
    for await (const file of incoming) {
      const id = newId<FileId>(deps.clock);
      const receivedAtMs = deps.clock.now();
      const name = parseFileName(file.name);
      const key = rawKey(org, receivedAtMs, id);
      begun.push({ id, key });
      await deps.uploads.begin(org, [{ id, name, rawKey: key }]);
      const stored = await deps.objects.put(key, file.bytes, { signal, ...(file.sizeHint === null ? {} : { bytes: file.sizeHint }) });
      if (stored.bytes === 0) throw new Fault("empty_file", `file: ${name} is empty (0 bytes)`, { field: "file", value: name });
      files.push({ id, name, rawKey: key, ...stored, contentType: file.contentType, receivedAtMs });
    }
    if (files.length === 0) throw new Fault("no_file", "file: the request carries no file", { field: "file" });
  } catch (error) {
    await takeAway(deps, begun);
    throw error;
  }
  let kept = false;
  return {
    files,
    keep: () => {
      kept = true;
    },
    [Symbol.asyncDispose]: async () => {
      if (!kept) await takeAway(deps, begun);
    },
  };
}

/** Commits staged files with all they need to be worked on, or throws and leaves nothing. */
export async function commitStaged(
  deps: StageDeps,
  staged: Staged,
  upload: { readonly target: UploadTarget; readonly facts: UploadFacts; readonly idempotency?: NonNullable<AcceptOptions["idempotency"]> },
): Promise<readonly AcceptedFile[]> {
  const { target, facts, idempotency } = upload;
  const accepted = await deps.uploads.commit({
    target,
    files: staged.files,
    options: facts.options,
    rules: facts.rules,
    ...(idempotency
      ? {
          idempotency: {
            running: idempotency.running,
            answer: (files: readonly AcceptedFile[]) => idempotency.answer(files, staged.files),
          },
        }
      : {}),
  });
  staged.keep();
  return accepted;
}

async function takeAway(deps: StageDeps, begun: readonly { id: FileId; key: string }[]): Promise<void> {
  if (begun.length === 0) return;
  const keys = begun.map((file) => file.key);
  try {
    const aborted = new Set(await deps.uploads.abort(begun.map((file) => file.id)));
    await deps.objects.remove(begun.filter((file) => aborted.has(file.id)).map((file) => file.key));
  } catch (error) {
    deps.onLeftover(error, keys);
  }
}
