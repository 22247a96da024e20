import type { Clock } from "../../domain/ids.ts";

/** The part of a pino logger that the queue uses. */
export interface QueueLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const LINES_A_SECOND = 10;

/**
 * A log that writes at most 10 lines a second whatever happens: in an outage every connection of BullMQ reports every
 * attempt, some 20 a second and worker. The next line that gets through says how many were held back.
 */
export function calmLog(log: QueueLog, clock: Pick<Clock, "now">): QueueLog {
  let second = -1;
  let lines = 0;
  let held = 0;
  const write = (level: keyof QueueLog, fields: object, message: string) => {
    const now = Math.floor(clock.now() / 1_000);
    if (now !== second) [second, lines] = [now, 0];
    if (lines >= LINES_A_SECOND) {
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
