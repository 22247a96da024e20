import type { AcceptDeps } from "@sluice/core/accept";
import type { InspectDeps } from "@sluice/core/inspect";
import type { ManageDeps } from "@sluice/core/manage";
import type { Access } from "@sluice/core/manage/access";
import type { Idempotency } from "@sluice/core/ports/idempotency";

/** What every surface works with. */
export interface ApiDeps {
  readonly access: Access;
  readonly accept: AcceptDeps;
  readonly manage: ManageDeps;
  readonly inspect: InspectDeps;
  readonly idempotency: Idempotency;
  /** The most bytes of one upload's files together. */
  readonly maxUploadBytes: number;
  /** Uploads, list and history of the DataInsider surface need no key from this very machine. */
  readonly openUploads: boolean;
  /** Told of each upload that was accepted. */
  readonly onAccepted: (accepted: { readonly seconds: number; readonly files: number; readonly bytes: number }) => void;
  /** Links of this service's own: the key when the signature holds and has not expired, else null. Absent when the store has its own links. */
  readonly verifyLink:
    | ((link: { readonly segment: string; readonly expires: string; readonly name: string; readonly signature: string }) => string | null)
    | null;
}
