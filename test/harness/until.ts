import { performance } from "node:perf_hooks";

const LOOK_MS = 20;

/**
 * Asks again and again until the answer is neither null, undefined nor false, and resolves to it. Rejects with `what` after `withinMs`,
 * or at once with what `ask` throws.
 */
export async function until<T>(what: string, withinMs: number, ask: () => T | Promise<T>): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer as NonNullable<Exclude<T, false>>;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
