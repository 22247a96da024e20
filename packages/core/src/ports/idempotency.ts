import type { OrgId } from "../domain/ids.ts";

/** What a first request answered. */
export interface RememberedAnswer {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: unknown;
}

/**
 * Idempotency keys, kept 24 hours. A running key is a lease of 5 s that its request renews,
 * so that one whose process died can be repeated.
 */
export interface Idempotency {
  /** Takes the key: `token` when this request runs it, `answer` when an earlier one is done. Throws `idempotency_running`. */
  begin(org: OrgId, key: string): Promise<{ readonly token: string } | { readonly answer: RememberedAnswer }>;
  /** Prolongs the lease; false when it was lost. */
  renew(org: OrgId, key: string, token: string): Promise<boolean>;
  /** Remembers the answer. Throws `idempotency_running` when the lease was lost to another. Uploads remember inside their commit instead. */
  finish(org: OrgId, key: string, token: string, answer: RememberedAnswer): Promise<void>;
  /** Forgets a running key, so that the request can be repeated. */
  release(org: OrgId, key: string, token: string): Promise<void>;
  /** Forgets what is older than 24 hours. */
  purge(): Promise<void>;
}

/** A running key, as a commit needs it. */
export interface RunningKey {
  readonly key: string;
  readonly token: string;
}
