import { NO_ROWS } from "@sluice/core/domain/file";
import { Fault } from "@sluice/core/domain/fault";
import { dispatch, type EnqueueDeps } from "@sluice/core/flow/enqueue";
import type { Publication } from "@sluice/core/ports/publication";

export interface ReconcilerDeps extends EnqueueDeps {
  readonly publication: Publication;
  readonly onPutBack: (counts: { readonly leases: number; readonly lost: number }) => void;
}

/** An enqueued file that nobody claimed for this long is looked for in the queue. */
const ENQUEUED_MS = 5_000;
const LIMIT = 500;

/**
 * One turn of the reconciler and the dispatcher: puts back files whose lease is over and jobs that the queue lost,
 * fails files that wore out ten leases, and moves what is due into the queue. Safe in any number of processes at once.
 */
export async function reconcile(deps: ReconcilerDeps): Promise<void> {
  const { putBack, enqueued, worn } = await deps.work.overdue(ENQUEUED_MS, LIMIT);
  for (const { file, epoch } of worn) {
    const fault = new Fault("lease_lost", "ten workers lost this file while they worked on it").toRecord();
    await deps.publication.publishFailed({
      file,
      epoch,
      fault,
      findings: { detected: null, counts: NO_ROWS, rejects: [], rejectsKey: null },
    });
  }
  const missing = enqueued.length === 0 ? [] : await deps.queue.missing(enqueued);
  const lost = await deps.work.putBack(missing);
  if (putBack + lost > 0) deps.onPutBack({ leases: putBack, lost });
  await dispatch(deps, null);
}
