import { LOST_LEASES_ALONE } from "@sluice/core/domain/file";
import type { ClaimedFile } from "@sluice/core/ports/work";

/**
 * Who may run beside whom: any files together, but one that lost its lease too often runs alone,
 * so that it takes no neighbour down if it is what kills workers.
 */
export function slots(): (file: Pick<ClaimedFile, "lostLeases">, signal: AbortSignal) => Promise<Disposable> {
  let running = 0;
  let alone = false;
  const waiting: { alone: boolean; start: () => void }[] = [];
  const admit = () => {
    for (let next = waiting[0]; next && !alone && (next.alone ? running === 0 : true); next = waiting[0]) {
      waiting.shift();
      running += 1;
      alone = next.alone;
      next.start();
    }
  };
  return async (file, signal) => {
    signal.throwIfAborted();
    const wantsAlone = file.lostLeases >= LOST_LEASES_ALONE;
    await new Promise<void>((resolve, reject) => {
      const entry = { alone: wantsAlone, start: () => (signal.removeEventListener("abort", leave), resolve()) };
      const leave = () => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal.reason as Error);
        admit();
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(entry);
      admit();
    });
    return {
      [Symbol.dispose]: () => {
        running -= 1;
        if (wantsAlone) alone = false;
        admit();
      },
    };
  };
}
