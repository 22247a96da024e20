/** A task run again and again, never twice at once. */
export interface Recurring {
  /** Runs it now (or once more after the running turn). */
  poke(): void;
  /** No new turn; resolves when the running one is over. */
  stop(): Promise<void>;
}

/** Runs `task` at once and then `ms` after each turn's end. Errors are told; the next turn comes all the same. */
export function every(ms: number, task: (signal: AbortSignal) => Promise<void>, onError: (error: unknown) => void): Recurring {
  const stopper = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let again = false;
  const turn = () => {
    clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = task(stopper.signal)
      .catch((error: unknown) => {
        if (!stopper.signal.aborted) onError(error);
      })
      .then(() => {
        running = null;
        if (stopper.signal.aborted) return;
        const soon = again;
        again = false;
        timer = setTimeout(turn, soon ? 0 : ms);
      });
  };
  turn();
  return {
    poke: turn,
    stop: async () => {
      stopper.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
