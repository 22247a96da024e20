import { createHash, timingSafeEqual } from "node:crypto";
import { type Caller, may, type Scope } from "../domain/access.ts";
import { Fault } from "../domain/fault.ts";
import { type Clock, newId, type FileId, type OrgId } from "../domain/ids.ts";
import type { Directory } from "../ports/directory.ts";

/** How long a looked-up key is believed: a revoked one works at most this much longer. */
export const KEY_CACHE_MS = 2_000;
const CACHED_KEYS = 10_000;
const MAX_KEY_LENGTH = 512;
const MADE_KEY = /^slk_([a-z2-7]{8})_[A-Za-z0-9_-]{43}$/;

export interface AccessDeps {
  readonly directory: Directory;
  readonly clock: Clock;
}

/** Tells who a key belongs to. One a process: it remembers keys for `KEY_CACHE_MS`. */
export interface Access {
  /** The caller, or null for a key that is unknown, wrong or revoked. Throws `records_unavailable`. */
  authenticate(key: string): Promise<Caller | null>;
}

/** The prefix under which a key is found: the visible one of a key we made, else the first 16 hex of its SHA-256. */
export function keyPrefix(key: string): string {
  return MADE_KEY.exec(key)?.[1] ?? sha256(key).toString("hex").slice(0, 16);
}

export function openAccess(deps: AccessDeps): Access {
  // By hash, so that no key stays in memory; wrong keys too, so that guessing costs the records little.
  const known = new Map<string, { readonly caller: Caller | null; readonly untilMs: number }>();
  return {
    async authenticate(key) {
      if (key.length === 0 || key.length > MAX_KEY_LENGTH) return null;
      const hash = sha256(key);
      const name = hash.toString("hex");
      const cached = known.get(name);
      if (cached && cached.untilMs > deps.clock.now()) return cached.caller;
      const row = await deps.directory.findKey(keyPrefix(key));
      const right = row !== null && row.hash.length === hash.length && timingSafeEqual(row.hash, hash) && row.revokedAtMs === null;
      const caller = right ? { org: row.org, keyId: row.id, scopes: row.scopes } : null;
      known.delete(name);
      if (known.size >= CACHED_KEYS) known.delete(known.keys().next().value ?? "");
      known.set(name, { caller, untilMs: deps.clock.now() + KEY_CACHE_MS });
      return caller;
    },
  };
}

/** A new key. Its text is shown this once and kept nowhere. */
export interface CreatedKey {
  readonly id: string;
  readonly prefix: string;
  readonly key: string;
}

export async function createKey(
  deps: AccessDeps,
  wanted: { readonly org: OrgId; readonly name: string; readonly scopes: readonly Scope[] },
): Promise<CreatedKey> {
  const prefix = base32(deps.clock.random(5));
  const key = `slk_${prefix}_${Buffer.from(deps.clock.random(32)).toString("base64url")}`;
  const id: string = newId<FileId>(deps.clock);
  await deps.directory.putKey({ id, prefix, hash: sha256(key), ...wanted });
  return { id, prefix, key };
}

/** Makes a key given by configuration an admin's key of the first org; repeating it changes nothing. */
export async function ensurePresetKey(deps: AccessDeps, key: string, org: OrgId): Promise<void> {
  const prefix = keyPrefix(key);
  await deps.directory.putKey({ id: newId<FileId>(deps.clock), org, prefix, hash: sha256(key), name: "preset", scopes: ["admin"] });
}

/** Throws `forbidden` unless the caller has the scope. */
export function requireScope(caller: Caller, scope: Scope): void {
  if (!may(caller, scope))
    throw new Fault("forbidden", `this key may not do that: it needs the scope ${scope}`, { field: "api_key", limit: scope });
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** 5 bytes as 8 characters. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.replace(/.{5}/g, (five) => "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(five, 2)] ?? "");
}
