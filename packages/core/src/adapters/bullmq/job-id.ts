import type { Job } from "../../ports/job-queue.ts";

/** BullMQ forbids `:` and pure integers; the rest keeps ids readable in Bull Board. */
const SAFE = /^[\w.-]{1,200}$/;

/** `<file>.<epoch>` or `sync-<sync>.<token>`. Throws on an id that no queue would hold: a bug, not an outage. */
export function jobId(job: Job): string {
  const id = job.kind === "file" ? `${job.file}.${job.epoch}` : `sync-${job.sync}.${job.token}`;
  if (!SAFE.test(id)) throw new Error(`not a job id: ${JSON.stringify(id)}`);
  return id;
}

/** The job in a queue entry's data, or null when it is none: anybody may write to a Redis. */
export function jobOf(data: unknown): Job | null {
  if (typeof data !== "object" || data === null) return null;
  const { kind, file, epoch, sync, token } = data as Record<string, unknown>;
  if (kind === "file" && typeof file === "string" && Number.isSafeInteger(epoch)) return { kind, file, epoch: epoch as number };
  if (kind === "sync" && Number.isSafeInteger(sync) && typeof token === "string") return { kind, sync: sync as number, token };
  return null;
}
