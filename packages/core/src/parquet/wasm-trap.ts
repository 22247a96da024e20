/**
 * parquet-wasm runs its streams in microtasks of its own: a Rust panic there ("RuntimeError: unreachable") is an uncaught
 * exception, and the promise that waits for the stream never settles. A watch turns it into a rejection. Conversions run in a
 * process that does nothing else, so a trap while a watch is open belongs to it; every other exception goes its usual way.
 */
export interface TrapWatch {
  /** What the work gives, or the trap that hit meanwhile or before. */
  race<T>(work: Promise<T>): Promise<T>;
  stop(): void;
}

const open = new Set<(trap: Error) => void>();
let trapped = false;

/** True once parquet-wasm has trapped in this process: its memory is in an unknown state, so the process should be replaced. */
export function hasTrapped(): boolean {
  return trapped;
}

export function watchTraps(): TrapWatch {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {
    // Whoever races sees it; between two races nobody listens.
  });
  if (!process.hasUncaughtExceptionCaptureCallback()) process.setUncaughtExceptionCaptureCallback(onUncaught);
  open.add(reject);
  return {
    race: (work) => Promise.race([work, promise]),
    stop: () => {
      open.delete(reject);
      // After a trap more may follow, from whatever Rust had still queued: they must not end the process before its answer is out.
      if (open.size === 0 && !trapped) process.setUncaughtExceptionCaptureCallback(null);
    },
  };
}

function onUncaught(error: unknown): void {
  if (error instanceof Error && error.name === "RuntimeError") {
    trapped = true;
    for (const reject of open) reject(error);
    return;
  }
  process.setUncaughtExceptionCaptureCallback(null);
  queueMicrotask(() => {
    throw error;
  });
}
