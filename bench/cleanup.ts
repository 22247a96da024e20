/** What this process has started and made: undone by whoever made it, or all at once when the bench is stopped. */
const open = new Set<() => Promise<void>>();

/** Registers an undoing. The disposable it returns undoes it, once, whoever asks first. */
export function undoing(undo: () => Promise<void> | void): AsyncDisposable {
  let done: Promise<void> | null = null;
  const once = () => {
    done ??= (async () => {
      try {
        await undo();
      } finally {
        open.delete(once);
      }
    })();
    return done;
  };
  open.add(once);
  return { [Symbol.asyncDispose]: once };
}

/** Undoes everything, the newest first. */
export async function undoAll(): Promise<void> {
  for (const undo of [...open].reverse()) await undo().catch((error: unknown) => console.error(error));
}
