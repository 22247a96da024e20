import type { OrgId } from "./ids.ts";

/** What a key may do. `admin` includes the others. */
export const SCOPES = ["upload", "read", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Who makes a request. `keyId` is null for a keyless loopback upload. */
export interface Caller {
  readonly org: OrgId;
  readonly keyId: string | null;
  readonly scopes: readonly Scope[];
}

export function may(caller: Caller, scope: Scope): boolean {
  return caller.scopes.includes("admin") || caller.scopes.includes(scope);
}
