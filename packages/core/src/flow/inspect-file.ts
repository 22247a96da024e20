import { Fault, type FaultRecord, isFault } from "../domain/fault.ts";
import type { Clock, InspectionId } from "../domain/ids.ts";
import { DEFAULT_RULES } from "../domain/options.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { ConvertIo, ConvertLimits, Converter, Inspection } from "../ports/converter.ts";
import type { InspectionRow, Inspections } from "../ports/inspections.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { rawReader } from "./raw-reader.ts";

export interface InspectFileDeps {
  readonly inspections: Inspections;
  readonly objects: ObjectStore;
  readonly catalog: Catalog;
  readonly converter: Converter;
  readonly clock: Clock;
  readonly limits: ConvertLimits;
}

/** A worker that is silent for this long has died: another may take the dry run. */
const LEASE_MS = 60_000;
const MAX_ATTEMPTS = 3;

/** One dry run in the sandbox, its outcome recorded, its bytes taken away. Platform faults leave it to be claimed again. */
export async function inspectFile(deps: InspectFileDeps, id: InspectionId, signal: AbortSignal): Promise<void> {
  const asked = await deps.inspections.claim(id, LEASE_MS);
  if (!asked) return;
  const outcome = await outcomeOf(deps, asked, signal);
  await deps.inspections.finish(id, outcome);
  await deps.objects.remove([asked.rawKey]);
}

async function outcomeOf(
  deps: InspectFileDeps,
  asked: InspectionRow,
  signal: AbortSignal,
): Promise<{ report: Inspection } | { fault: FaultRecord }> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LEASE_MS)]);
  try {
    return { report: await run(deps, asked, limit) };
  } catch (error) {
    if (signal.aborted) throw error;
    if (limit.aborted) {
      return { fault: new Fault("limit_exceeded", `the dry run took longer than ${LEASE_MS / 1_000} s`, { limit: LEASE_MS }).toRecord() };
    }
    const platform = isFault(error) && error.blame === "platform";
    if (platform && asked.attempts < MAX_ATTEMPTS) throw error;
    if (isFault(error)) return { fault: error.toRecord() };
    return { fault: new Fault("internal", "an unexpected error in the worker; its log has the details", { cause: error }).toRecord() };
  }
}

async function run(deps: InspectFileDeps, asked: InspectionRow, signal: AbortSignal): Promise<Inspection> {
  const dataset = asked.dataset === null ? null : await deps.catalog.byId(asked.org, asked.dataset);
  await using raw = rawReader(deps.objects, asked.rawKey, asked.bytes);
  const refuse = () => Promise.reject(new Error("a dry run writes nothing"));
  const io: ConvertIo = {
    read: (offset, length) => raw.read(offset, length),
    openPart: refuse,
    openRejects: refuse,
    progress: () => undefined,
  };
  const outcome = await deps.converter.convert(
    {
      name: asked.name,
      bytes: asked.bytes,
      options: asked.options,
      rules: { ...(dataset?.rules ?? DEFAULT_RULES), ...asked.rules },
      schemas: dataset?.schemas ?? {},
      mode: "inspect",
      file: asked.id,
      loadedAtMs: deps.clock.now(),
      limits: deps.limits,
    },
    io,
    signal,
  );
  if (outcome.kind !== "inspected") throw new Error(`a dry run was answered by ${outcome.kind}`);
  return outcome.inspection;
}
