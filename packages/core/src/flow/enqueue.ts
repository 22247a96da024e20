import type { OrgId } from "../domain/ids.ts";
import type { JobQueue } from "../ports/job-queue.ts";
import type { Work } from "../ports/work.ts";

export interface EnqueueDeps {
  readonly work: Work;
  readonly queue: JobQueue;
  /** Files of one org in the queue at once. */
  readonly perOrg: number;
  readonly onEnqueueError: (error: unknown) => void;
  /** Orgs with a dispatch under way, and whether another was asked for meanwhile. One map a process. */
  readonly dispatching: Map<OrgId | null, { again: boolean }>;
}

/**
 * Moves due files of an org (null: of every org) into the queue, in the background: the answer to an upload never waits for the queue.
 * Calls made while one runs are folded into one more run. Failures are told and left to the dispatcher's next turn.
 */
export function enqueue(deps: EnqueueDeps, org: OrgId | null): void {
  const running = deps.dispatching.get(org);
  if (running) {
    running.again = true;
    return;
  }
  const turn = { again: false };
  deps.dispatching.set(org, turn);
  void (async () => {
    try {
      do {
        turn.again = false;
        await dispatch(deps, org);
      } while (turn.again);
    } catch (error) {
      deps.onEnqueueError(error);
    } finally {
      deps.dispatching.delete(org);
    }
  })();
}

/** One dispatch: marks due files, then adds their jobs; marks are taken back when the queue refuses. Tells how many were added. */
export async function dispatch(deps: EnqueueDeps, org: OrgId | null): Promise<number> {
  if (!(await deps.queue.hasRoom())) return 0;
  const jobs = await deps.work.takeDue(org, deps.perOrg);
  if (jobs.length === 0) return 0;
  try {
    await deps.queue.add(jobs);
  } catch (error) {
    await deps.work.untake(jobs);
    throw error;
  }
  return jobs.length;
}
