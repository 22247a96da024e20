import { type Clock, type Epoch, type FileId, newId, type OrgId, type PartId } from "../domain/ids.ts";
import { partKey, rejectsKey } from "../domain/keys.ts";
import type { FileOptions, LoadRules } from "../domain/options.ts";
import type { TableSchemas } from "../domain/table-schema.ts";
import type { ConvertIo, ConvertLimits, LoadOutcome, Converter, PartSink } from "../ports/converter.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Findings, NewPart } from "../ports/publication.ts";
import { type PutSink, putSink } from "./put-sink.ts";
import { rawReader } from "./raw-reader.ts";

export interface AttemptDeps {
  readonly objects: ObjectStore;
  readonly converter: Converter;
  readonly clock: Clock;
  readonly limits: ConvertLimits;
  readonly onLeftover: (error: unknown, keys: readonly string[]) => void;
}

/** One conversion of one file's raw bytes into parts of one generation. */
export interface AttemptOf {
  readonly file: FileId;
  readonly epoch: Epoch;
  readonly org: OrgId;
  readonly name: string;
  readonly rawKey: string;
  readonly bytes: number;
  readonly options: FileOptions;
  readonly rules: LoadRules;
  readonly into: { readonly path: string; readonly number: number; readonly schemas: TableSchemas };
  readonly mode: "load" | "remake";
  /** The first part's number: keys of one epoch are never used twice. */
  readonly firstIndex: number;
  readonly progress: (rows: number, bytes: number) => void;
}

export interface Attempt {
  readonly outcome: LoadOutcome;
  readonly parts: readonly NewPart[];
  readonly findings: Findings;
  /** Every object it wrote. */
  readonly keys: readonly string[];
  /** How many part numbers it used up, those of aborted parts included. */
  readonly numbers: number;
}

/** A part that the conversion opened. One that it aborted keeps its number, so that no key is used twice. */
interface OpenedPart {
  readonly table: string;
  readonly key: string;
  readonly sink: PutSink;
  closed: boolean;
  aborted: boolean;
}

/** parse -> conform -> write, in the sandbox. When it throws, what it wrote is taken away. Throws what the converter throws. */
export async function attempt(deps: AttemptDeps, of: AttemptOf, signal: AbortSignal): Promise<Attempt> {
  const opened: OpenedPart[] = [];
  const live = () => opened.filter((part) => !part.aborted);
  const rejects = { key: rejectsKey(of.org, of.file, of.epoch), sink: null as PutSink | null };
  const keys = () => [...live().map((part) => part.key), ...(rejects.sink ? [rejects.key] : [])];
  await using raw = rawReader(deps.objects, of.rawKey, of.bytes);
  const io: ConvertIo = {
    read: (offset, length) => raw.read(offset, length),
    openPart: (table) => {
      const { org, file, epoch } = of;
      const key = partKey({
        org,
        path: of.into.path,
        generation: of.into.number,
        table,
        file,
        epoch,
        index: of.firstIndex + opened.length,
      });
      const part = { table, key, sink: putSink(deps.objects, key), closed: false, aborted: false };
      opened.push(part);
      return Promise.resolve(partSink(deps, part));
    },
    openRejects: () => {
      const sink = putSink(deps.objects, rejects.key);
      rejects.sink = sink;
      const abort = async () => {
        await sink.abort();
        // A conversion that starts over may have none the second time.
        if (rejects.sink === sink) rejects.sink = null;
      };
      return Promise.resolve({ write: (bytes) => sink.write(bytes), close: () => sink.close(), abort });
    },
    progress: of.progress,
  };
  try {
    const outcome = await deps.converter.convert(requestOf(deps, of), io, signal);
    if (outcome.kind === "inspected") throw new Error("a load was answered by a dry run");
    if (outcome.kind !== "tables")
      await undo(
        deps,
        live(),
        keys().filter((key) => key !== rejects.key),
        null,
      );
    return { outcome, ...accountOf(deps, outcome, live(), rejects.sink ? rejects.key : null), keys: keys(), numbers: opened.length };
  } catch (error) {
    await undo(deps, [...live(), ...(rejects.sink ? [{ sink: rejects.sink }] : [])], keys(), error);
    throw error;
  }
}

/** What the conversion gets to hold of a part. */
function partSink(deps: AttemptDeps, part: OpenedPart): PartSink {
  return {
    write: (bytes) => part.sink.write(bytes),
    close: () => {
      part.closed = true;
      return part.sink.close();
    },
    abort: async () => {
      part.aborted = true;
      await part.sink.abort();
      if (part.closed) await removeQuietly(deps, [part.key]);
    },
  };
}

function requestOf(deps: AttemptDeps, of: AttemptOf) {
  return {
    name: of.name,
    bytes: of.bytes,
    options: of.options,
    rules: of.rules,
    schemas: of.into.schemas,
    mode: of.mode,
    file: of.file,
    loadedAtMs: deps.clock.now(),
    limits: deps.limits,
  };
}

function accountOf(
  deps: AttemptDeps,
  outcome: LoadOutcome,
  opened: readonly { table: string; key: string; closed: boolean }[],
  rejectsAt: string | null,
): Pick<Attempt, "parts" | "findings"> {
  const none = { read: 0, loaded: 0, rejected: 0, skipped: 0, warnings: 0 };
  if (outcome.kind === "opaque")
    return { parts: [], findings: { detected: outcome.detected, counts: none, rejects: [], rejectsKey: null } };
  const findings = { detected: outcome.detected, counts: outcome.counts, rejects: outcome.rejects, rejectsKey: rejectsAt };
  if (outcome.kind === "failed") return { parts: [], findings };
  const parts = outcome.parts.map((part, i): NewPart => {
    const at = opened[i];
    if (!at?.closed || at.table !== part.table) throw new Error(`part ${i} of table ${part.table} was not written to where it was opened`);
    return { id: newId<PartId>(deps.clock), table: part.table, key: at.key, rows: part.rows, bytes: part.bytes, sha256: part.sha256 };
  });
  return { parts, findings };
}

async function undo(deps: AttemptDeps, opened: readonly { sink: PutSink }[], keys: readonly string[], reason: unknown): Promise<void> {
  await Promise.all(opened.map((part) => part.sink.abort(reason ?? new Error("the conversion ended without parts"))));
  await removeQuietly(deps, keys);
}

/** Removes objects that nothing names; what cannot be removed now is left to the janitor. */
export async function removeQuietly(deps: Pick<AttemptDeps, "objects" | "onLeftover">, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  try {
    await deps.objects.remove(keys);
  } catch (error) {
    deps.onLeftover(error, keys);
  }
}
