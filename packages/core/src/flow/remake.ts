import { Fault } from "../domain/fault.ts";
import type { LoadRules } from "../domain/options.ts";
import { sameShape, tableOf, type TableSchemas } from "../domain/table-schema.ts";
import type { Publication, Remade, RemakeSource } from "../ports/publication.ts";
import { type Attempt, attempt, type AttemptDeps } from "./attempt.ts";

export interface RemakeDeps extends AttemptDeps {
  readonly publication: Publication;
}

export interface RemakeInto {
  readonly path: string;
  readonly number: number;
  readonly schemas: TableSchemas;
}

export interface RemadeFile {
  readonly remade: Remade;
  /** The schemas it was written under; under mode `load` they may have grown. */
  readonly schemas: TableSchemas;
  readonly keys: readonly string[];
}

/**
 * Converts a loaded file again from its raw bytes. `remake`: exactly under the schemas, rows that do not fit become its rejects.
 * `load`: the schemas may grow first. However many rows are rejected, the file stays loaded: it was accepted once.
 * Throws `raw_gone` when its bytes are not kept any more.
 */
export async function remake(
  deps: RemakeDeps,
  source: RemakeSource,
  into: RemakeInto,
  mode: "load" | "remake",
  signal: AbortSignal,
): Promise<RemadeFile> {
  if (source.rawRemoved) {
    throw new Fault(
      "raw_gone",
      `the rows of ${source.name} (file ${source.file}) would have to be written again under the new types, but its raw bytes are gone`,
      {
        field: "file",
        value: source.file,
      },
    );
  }
  const epoch = await deps.publication.mintRemake(source.file);
  const rules: LoadRules = {
    policy: source.rules.policy === "off" ? "off" : "evolve",
    onBadRow: source.rules.policy === "coerce" ? "coerce" : source.rules.onBadRow === "strict" ? "quarantine" : source.rules.onBadRow,
    maxRejects: { share: 1 },
  };
  const made = await attempt(deps, { ...source, epoch, rules, into, mode, firstIndex: 0, progress: () => undefined }, signal);
  return {
    remade: { file: source.file, epoch, parts: made.parts, findings: findingsOf(made) },
    schemas: { ...into.schemas, ...schemasOf(made) },
    keys: made.keys,
  };
}

/** The schemas of the tables that an attempt wrote. */
export function schemasOf(made: Attempt): TableSchemas {
  if (made.outcome.kind !== "tables") return {};
  return Object.fromEntries(made.outcome.tables.map((table) => [table.table, table.schema]));
}

/** A file of which no row fits any more stays loaded with nothing; one that cannot be read again is a fault. */
function findingsOf(made: Attempt): Attempt["findings"] {
  if (made.outcome.kind === "failed" && made.outcome.fault.code !== "nothing_loaded") throw Fault.fromRecord(made.outcome.fault);
  return made.findings;
}

/** True when parts written under `old` may stay beside parts written under `now`. */
export function stillFits(old: TableSchemas, now: TableSchemas): boolean {
  return Object.entries(old).every(([table, schema]) => {
    const next = tableOf(now, table);
    return next !== undefined && sameShape(schema, { columns: next.columns.slice(0, schema.columns.length), lastId: next.lastId });
  });
}
