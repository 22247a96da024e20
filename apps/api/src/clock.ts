import { randomBytes } from "node:crypto";
import type { Clock } from "@sluice/core/domain/ids";

/** The machine's clock and randomness. */
export const systemClock: Clock = {
  now: () => Date.now(),
  random: (count) => randomBytes(count),
};
