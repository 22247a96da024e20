import type { Job } from "../../ports/job-queue.ts";

/** BullMQ forbids `:` and pure integers; the rest keeps ids readable in Bull Board. */
const SAFE = /^[\w.-]{1,200}$/;

/** `<file>.<epoch>`, `sync-<sync>.<token>` or `inspection-<id>`. Throws on an id that no queue would hold: a bug, not an outage. */
export function jobId(job: Job): string {
  const id = textOf(job);
  if (!SAFE.test(id)) throw new Error(`not a job id: ${JSON.stringify(id)}`);
  return id;
}

function textOf(job: Job): string {
  switch (job.kind) {
    case "file":
      return `${job.file}.${job.epoch}`;
    case "sync":
      return `sync-${job.sync}.${job.token}`;
    case "inspection":
      return `inspection-${job.inspection}`;
  }
}

/** The job in a queue entry's data, or null when it is none: anybody may write to a Redis. */
export function jobOf(data: unknown): Job | null {
  if (typeof data !== "object" || data === null) return null;
  const { kind, file, epoch, sync, token, inspection } = data as Record<string, unknown>;
  if (kind === "file" && typeof file === "string" && Number.isSafeInteger(epoch)) return { kind, file, epoch: epoch as number };
  if (kind === "sync" && Number.isSafeInteger(sync) && typeof token === "string") return { kind, sync: sync as number, token };
  if (kind === "inspection" && typeof inspection === "string") return { kind, inspection };
  return null;
}
