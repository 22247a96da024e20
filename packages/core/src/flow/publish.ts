import { Fault } from "../domain/fault.ts";
import { newId, type PartId } from "../domain/ids.ts";
import { opaqueKey } from "../domain/keys.ts";
import type { Publication, PublishResult, Remade } from "../ports/publication.ts";
import type { ClaimedFile, GenerationState } from "../ports/work.ts";
import { type Attempt, removeQuietly } from "./attempt.ts";
import { remake, type RemakeDeps, schemasOf } from "./remake.ts";

export interface PublishDeps extends RemakeDeps {
  readonly publication: Publication;
}

/**
 * Makes what an attempt found out visible, or records why not. `conflict`: the target moved on, convert again.
 * What it wrote is taken away unless it was published; after a throw the outcome is unknown and everything stays.
 */
export async function publish(
  deps: PublishDeps,
  file: ClaimedFile,
  target: GenerationState,
  made: Attempt,
  signal: AbortSignal,
): Promise<PublishResult> {
  const { outcome } = made;
  switch (outcome.kind) {
    case "failed":
      return deps.publication.publishFailed({ file: file.id, epoch: file.epoch, fault: outcome.fault, findings: made.findings });
    case "opaque":
      return publishOpaque(deps, file, target, outcome);
    case "tables":
      return publishTables(deps, file, target, { made, outcome }, signal);
  }
}

async function publishOpaque(
  deps: PublishDeps,
  file: ClaimedFile,
  target: GenerationState,
  outcome: Extract<Attempt["outcome"], { kind: "opaque" }>,
): Promise<PublishResult> {
  const key = opaqueKey({ org: file.org, path: target.path, generation: target.number, file: file.id });
  // The same bytes under the same key whichever attempt copies them.
  await deps.objects.copy(file.rawKey, key);
  return deps.publication.publishStored({
    file: file.id,
    epoch: file.epoch,
    generation: target.generation,
    part: { id: newId<PartId>(deps.clock), key, bytes: file.bytes, sha256: file.sha256 },
    detected: outcome.detected,
    contentType: outcome.contentType,
  });
}

interface Tables {
  readonly made: Attempt;
  readonly outcome: Extract<Attempt["outcome"], { kind: "tables" }>;
}

async function publishTables(
  deps: PublishDeps,
  file: ClaimedFile,
  target: GenerationState,
  { made, outcome }: Tables,
  signal: AbortSignal,
): Promise<PublishResult> {
  const schemas = schemasOf(made);
  const others: { remade: Remade[]; keys: string[] } = { remade: [], keys: [] };
  try {
    for (const table of outcome.tables.filter((each) => each.change === "widened"))
      await remakeOthers(deps, { file, target, schemas, table }, others, signal);
  } catch (error) {
    await removeQuietly(deps, [...made.keys, ...others.keys]);
    if (error instanceof Fault && error.blame === "content") {
      return deps.publication.publishFailed({ file: file.id, epoch: file.epoch, fault: error.toRecord(), findings: made.findings });
    }
    throw error;
  }
  const result = await deps.publication.publishLoaded({
    file: file.id,
    epoch: file.epoch,
    generation: target.generation,
    basedOn: target.schemaVersion,
    schemas: { ...target.schemas, ...schemas },
    change: outcome.tables.some((table) => table.change === "widened")
      ? "widened"
      : outcome.tables.some((table) => table.change === "added")
        ? "added"
        : "none",
    parts: made.parts,
    findings: made.findings,
    remade: others.remade,
  });
  if (result !== "done") await removeQuietly(deps, [...made.keys, ...others.keys]);
  return result;
}

interface Widening {
  readonly file: ClaimedFile;
  readonly target: GenerationState;
  readonly schemas: GenerationState["schemas"];
  readonly table: Tables["outcome"]["tables"][number];
}

/** A widened column has one type over all live parts, so every other file with the old type is made again. */
async function remakeOthers(
  deps: PublishDeps,
  { file, target, schemas, table }: Widening,
  into: { remade: Remade[]; keys: string[] },
  signal: AbortSignal,
): Promise<void> {
  const all = { ...target.schemas, ...schemas };
  for (const source of await deps.publication.toRemake(target.generation, table.table, table.schema)) {
    if (source.file === file.id || into.remade.some((each) => each.file === source.file)) continue;
    const made = await remake(deps, source, { path: target.path, number: target.number, schemas: all }, "remake", signal);
    into.remade.push(made.remade);
    into.keys.push(...made.keys);
  }
}
