/** What the workers of a chaos run, ours and the naive ones, are told by their environment. */
export interface Chaos {
  readonly seed: number;
  /** A job takes half to one and a half times this. */
  readonly jobMs: number;
  readonly blockShare: number;
  readonly blockMs: number;
}

export function chaosEnv(chaos: Chaos): Record<string, string> {
  return { CHAOS: JSON.stringify(chaos) };
}

export function chaosOf(env: Readonly<Record<string, string | undefined>>): Chaos {
  return JSON.parse(env["CHAOS"] ?? "null") as Chaos;
}
