import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * What a fuzz file of this folder exports: `fuzz(seed, rounds)` reads seeded mutations of its fixtures. A case that is neither read nor
 * refused by a content fault is thrown or stands in `wrong`.
 */
export interface FuzzTarget {
  readonly name: string;
  fuzz(seed: number, rounds: number): Promise<FuzzOutcome>;
}

export interface FuzzOutcome {
  readonly read: number;
  readonly refused: number;
  readonly wrong?: readonly string[];
}

const NO_TARGETS = new Set(["targets", "main", "run-target"]);

/** The names of the targets: the files of this folder that are neither tests nor the runner. */
export function targetNames(): string[] {
  const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  return names.map((name) => name.slice(0, -3)).filter((name) => !NO_TARGETS.has(name));
}

export async function loadTarget(name: string): Promise<FuzzTarget> {
  const module = (await import(join(import.meta.dirname, `${name}.ts`))) as Partial<FuzzTarget>;
  if (typeof module.fuzz !== "function") throw new Error(`test/fuzz/${name}.ts exports no fuzz(seed, rounds)`);
  return { name, fuzz: module.fuzz };
}
