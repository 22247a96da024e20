import type { PartSink } from "../ports/converter.ts";
import type { ObjectStore } from "../ports/object-store.ts";

/** A sink over `ObjectStore.put`: pushes become the stream that the store pulls. */
export interface PutSink extends PartSink {
  /** Ends the put so that nothing is stored; what was closed before stays, and is the caller's to remove. */
  abort(reason?: unknown): Promise<void>;
}

/** Starts storing under the key. A failed put rejects the next write and the close. */
export function putSink(objects: ObjectStore, key: string): PutSink {
  const aborter = new AbortController();
  let offered: Uint8Array | null = null;
  /** Ends the wait of the running write. */
  let taken: (() => void) | null = null;
  let ended = false;
  let wake: (() => void) | null = null;
  let failure: { error: unknown } | null = null;
  const notify = () => {
    wake?.();
    wake = null;
  };
  async function* source(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (offered) {
        const bytes = offered;
        offered = null;
        yield bytes;
        taken?.();
        taken = null;
      } else if (ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        aborter.signal.throwIfAborted();
      }
    }
  }
  const stored = objects.put(key, source(), { signal: aborter.signal });
  // A writer that waits for its bytes to be taken must hear of a failed put.
  stored.catch((error: unknown) => {
    failure = { error };
    taken?.();
  });
  return {
    write: async (bytes) => {
      if (failure) throw failure.error;
      await new Promise<void>((resolve) => {
        offered = bytes;
        taken = resolve;
        notify();
      });
      if (failure) throw (failure as { error: unknown }).error;
    },
    close: () => {
      ended = true;
      notify();
      return stored;
    },
    abort: async (reason = new Error("the object was dropped")) => {
      aborter.abort(reason);
      notify();
      await stored.catch(() => undefined);
    },
  };
}
