import { Fault, isFault } from "../../domain/fault.ts";

/**
 * The work's result, or `queue_unavailable` when it fails or takes longer than `ms`. BullMQ on Redis never settles while
 * the connection is away; what settles after the deadline is dropped, so that it is no unhandled rejection.
 */
export async function bounded<T>(what: string, ms: number, work: () => Promise<T>): Promise<T> {
  try {
    return await within(ms, work());
  } catch (cause) {
    if (isFault(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("queue_unavailable", `the queue could not ${what}: ${why}`, { cause });
  }
}

/** The promise's result, or a rejection after `ms`. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the work has settled, whichever way, or after `ms`; says which: true when it settled. */
export async function settled(ms: number, work: Promise<unknown>): Promise<boolean> {
  const outcome = work.then(
    () => true,
    () => true,
  );
  try {
    return await within(ms, outcome);
  } catch {
    return false;
  }
}
