import type { Directory } from "@sluice/core/ports/directory";
import type { ObjectStore } from "@sluice/core/ports/object-store";
import { within } from "./within.ts";

const CHECK_MS = 1_000;

/** What `/readyz` says. */
export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or what is wrong in a word; the reason is in the log. */
  readonly checks: Readonly<Record<string, "ok" | "failed">>;
}

export interface HealthDeps {
  readonly directory: Directory;
  readonly objects: ObjectStore;
  readonly onFailedCheck: (name: string, error: unknown) => void;
}

/** Ready when records and objects answer within a second each. Queue and workers do not count: uploads are taken without them. */
export async function readiness(deps: HealthDeps): Promise<Readiness> {
  const checks = {
    records: () => deps.directory.ping(),
    // No object has this key: any answer shows that the store is there.
    objects: () => deps.objects.head("raw/ready"),
  };
  const asked = await Promise.all(
    Object.entries(checks).map(async ([name, check]): Promise<[string, "ok" | "failed"]> => {
      try {
        await within(CHECK_MS, name, Promise.resolve(check()));
        return [name, "ok"];
      } catch (error) {
        deps.onFailedCheck(name, error);
        return [name, "failed"];
      }
    }),
  );
  return { ready: asked.every(([, state]) => state === "ok"), checks: Object.fromEntries(asked) };
}
