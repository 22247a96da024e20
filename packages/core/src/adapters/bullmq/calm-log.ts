import type { Clock } from "../../domain/ids.ts";

/** The part of a pino logger that the queue uses. */
export interface QueueLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const LINES_A_SECOND = 10;
const SAME_MS = 10_000;
const SAME_KEPT = 100;

/**
 * A log that stays readable whatever happens: in an outage every connection of BullMQ reports every attempt, some 20 a
 * second and worker (measured). The same warning is written once in 10 s, and no more than 10 lines a second in all;
 * the next line that gets through says how many were held back.
 */
export function calmLog(log: QueueLog, clock: Pick<Clock, "now">): QueueLog {
  const seen = new Map<string, number>();
  let second = -1;
  let lines = 0;
  let held = 0;

  const repeats = (fields: object, message: string, now: number) => {
    const { err, queue } = fields as { err?: { message?: string }; queue?: string };
    const key = `${message} ${queue} ${err?.message}`;
    if (now - (seen.get(key) ?? Number.NEGATIVE_INFINITY) < SAME_MS) return true;
    if (seen.size >= SAME_KEPT) seen.clear();
    seen.set(key, now);
    return false;
  };
  const write = (level: keyof QueueLog, fields: object, message: string) => {
    const now = clock.now();
    if (Math.floor(now / 1_000) !== second) [second, lines] = [Math.floor(now / 1_000), 0];
    if (lines >= LINES_A_SECOND || (level === "warn" && repeats(fields, message, now))) {
      held++;
      return;
    }
    lines++;
    log[level](held === 0 ? fields : { ...fields, linesHeldBack: held }, message);
    held = 0;
  };
  return {
    info: (fields, message) => write("info", fields, message),
    warn: (fields, message) => write("warn", fields, message),
    error: (fields, message) => write("error", fields, message),
  };
}
