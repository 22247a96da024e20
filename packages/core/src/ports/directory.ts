import type { Scope } from "../domain/access.ts";
import type { OrgId } from "../domain/ids.ts";

/** Orgs, keys and shared settings. Throws `records_unavailable` when the records cannot be reached. */
export interface Directory {
  /** The key with this prefix, revoked or not, or null. */
  findKey(prefix: string): Promise<ApiKey | null>;
  /** Adds a key, or (same prefix) sets its hash, scopes and name anew and takes a revocation back. */
  putKey(key: Omit<ApiKey, "revokedAtMs" | "createdAtMs">): Promise<void>;
  /** All keys, oldest first. */
  listKeys(): Promise<readonly ApiKey[]>;
  /** Revokes by prefix or id; false when there is none, true also when it was revoked before. */
  revokeKey(idOrPrefix: string): Promise<boolean>;
  /** Adds an org when it is not there. */
  ensureOrg(id: OrgId, name: string): Promise<void>;
  /** The setting, or `fallback` stored by whichever replica asks first: all get the same value. */
  setting(name: string, fallback: string): Promise<string>;
  /** Resolves when the records answer. */
  ping(): Promise<void>;
}

export interface ApiKey {
  readonly id: string;
  readonly org: OrgId;
  readonly prefix: string;
  /** SHA-256 of the whole key. */
  readonly hash: Uint8Array;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAtMs: number;
  readonly revokedAtMs: number | null;
}
