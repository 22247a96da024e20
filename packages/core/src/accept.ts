import type { Caller } from "./domain/access.ts";
import type { DatasetId, SyncId } from "./domain/ids.ts";
import type { FileOptions, LoadRules } from "./domain/options.ts";
import type { AcceptedFile } from "./ports/uploads.ts";
import { type EnqueueDeps, enqueue } from "./flow/enqueue.ts";
import { type ReceiveDeps, receive } from "./flow/receive.ts";
import { type StageDeps, commitStaged, stageAll } from "./flow/stage.ts";
import type { RememberedAnswer, RunningKey } from "./ports/idempotency.ts";

/** What an upload says about itself. A fact that is not given is null; exactly one of sync and dataset is needed in the end. */
export interface UploadFacts {
  readonly sync: SyncId | null;
  readonly dataset: DatasetId | null;
  /** A lake path as the client sent it: the sync's own, or one beneath it. */
  readonly path: string | null;
  readonly options: FileOptions;
  readonly rules: Partial<LoadRules>;
}

/** One file of a request, in the order of the body. `bytes` must be read to its end before the next file is asked for. */
export interface IncomingFile {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly contentType: string | null;
  /** Size when the client declared it. */
  readonly sizeHint: number | null;
}

/** The body of an upload, whatever its encoding. */
export interface UploadBody {
  /** Facts known before the first byte (query, headers). They decide early, so that a refused upload costs little. */
  readonly early: UploadFacts;
  readonly files: AsyncIterable<IncomingFile>;
  /** All facts; called when `files` has ended. */
  final(): UploadFacts;
}

export interface AcceptOptions {
  /** Aborted when the client hangs up. */
  readonly signal: AbortSignal;
  /** `fingerprint` tells the same request by its fields and its files' names, sizes and SHA-256. */
  readonly idempotency?: {
    readonly running: RunningKey;
    readonly answer: (
      accepted: readonly AcceptedFile[],
      files: readonly { name: string; bytes: number; sha256: string }[],
    ) => RememberedAnswer;
  };
}

export type AcceptDeps = ReceiveDeps & StageDeps & EnqueueDeps;

/**
 * The upload door: receive -> stage -> enqueue. Resolves when every file of the request is durable and committed;
 * before that nothing of it is seen, and on any throw what was staged is taken away again.
 */
export async function accept(deps: AcceptDeps, caller: Caller, body: UploadBody, options: AcceptOptions): Promise<readonly AcceptedFile[]> {
  const early = await receive(deps, caller, body.early, "early");
  await using staged = await stageAll(deps, caller.org, body.files, options.signal);
  // The commit asks for the sync's state once more, under its lock; only where the form said something new is there more to decide.
  const target = early !== null && sameTarget(body.early, body.final()) ? early : await receive(deps, caller, body.final(), "final");
  const accepted = await commitStaged(deps, staged, {
    target,
    facts: body.final(),
    ...(options.idempotency ? { idempotency: options.idempotency } : {}),
  });
  enqueue(deps, caller.org);
  return accepted;
}

function sameTarget(a: UploadFacts, b: UploadFacts): boolean {
  return a.sync === b.sync && a.dataset === b.dataset && a.path === b.path;
}
