import { type Hold, type HeldFiles, LeaseLost } from "@sluice/core/flow/claim";
import type { ClaimedFile, HeldFile, Work } from "@sluice/core/ports/work";

interface Held {
  id: HeldFile["id"];
  epoch: HeldFile["epoch"];
  rows: number;
  bytes: number;
  readonly aborter: AbortController;
}

export interface Heartbeat extends HeldFiles {
  /** Prolongs every lease now. Failures are told and left to the next beat: a lease outlives three of them. */
  beat(): Promise<void>;
  /** Files held just now. */
  size(): number;
}

/** The files of this worker and their leases. The records decide who holds a file; this only stops work that is no longer wanted. */
export function heldFiles(work: Work, leaseMs: number, onError: (error: unknown) => void): Heartbeat {
  const held = new Map<ClaimedFile["id"], Held>();
  return {
    hold: (file): Hold => {
      const entry: Held = { id: file.id, epoch: file.epoch, rows: 0, bytes: 0, aborter: new AbortController() };
      held.set(file.id, entry);
      return {
        signal: entry.aborter.signal,
        progress: (rows, bytes) => {
          entry.rows = rows;
          entry.bytes = bytes;
        },
        [Symbol.dispose]: () => {
          if (held.get(file.id) === entry) held.delete(file.id);
        },
      };
    },
    beat: async () => {
      const beating = [...held.values()];
      if (beating.length === 0) return;
      try {
        const lost = await work.heartbeat(
          beating.map(({ id, epoch, rows, bytes }) => ({ id, epoch, rows, bytes })),
          leaseMs,
        );
        for (const entry of beating) {
          // A file that ended while the beat was under way is not lost: it is no longer held.
          if (lost.includes(entry.id) && held.get(entry.id) === entry) entry.aborter.abort(new LeaseLost(entry.id));
        }
      } catch (error) {
        onError(error);
      }
    },
    size: () => held.size,
  };
}
